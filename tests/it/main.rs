//! The tests from outside, in one program.

mod smoke;
