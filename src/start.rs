//! STAND-IN, to be replaced by the real server: the shape that `commands::serve` is written against.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::domain::ids::IdSource;
use crate::ids::Ids;
use crate::settings::Settings;

/// What a server is given by its surroundings.
pub struct World {
    /// The time.
    pub clock: Clock,
    /// Ids and random bytes.
    pub ids: Arc<dyn IdSource>,
}

impl World {
    /// The machine's clock and unpredictable ids.
    pub fn real() -> World {
        World { clock: Clock::Real, ids: Arc::new(Ids::random()) }
    }
}

/// A running server.
pub struct Running {
    main: TcpListener,
    admin: Option<TcpListener>,
}

/// Why a server did not start.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for StartError {}

/// Starts a server.
pub async fn start(settings: &Settings, world: World) -> Result<Running, StartError> {
    let World { clock: _, ids: _ } = world;
    let bind = async |address: SocketAddr| {
        TcpListener::bind(address).await.map_err(|cause| StartError(format!("cannot listen on {address}: {cause}")))
    };
    let main = bind(settings.listen).await?;
    let admin = match settings.admin_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    Ok(Running { main, admin })
}

impl Running {
    /// Where clients come in.
    pub fn address(&self) -> SocketAddr {
        self.main.local_addr().expect("a listener has an address")
    }

    /// Where health and metrics are, when apart.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|admin| admin.local_addr().expect("a listener has an address"))
    }

    /// Ends it.
    pub async fn stop(self) {}
}
