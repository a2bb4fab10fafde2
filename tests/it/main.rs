//! Every test that sees Cusp from outside, in one program.

mod program;
