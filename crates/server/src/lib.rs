//! The server: its settings, how it is put together, how it starts and stops, and its command line.
//!
//! The only crate that knows all the adapters. `tertulia` is a thin binary over [`main`]; whoever wants a server inside
//! another process starts an [`Application`].

mod admin;
mod background;
mod cli;
pub mod config;
mod database;
mod errors;
mod outside;
mod signals;
mod startup;
mod telemetry;

pub use cli::main;
pub use config::Config;
pub use startup::Application;
pub use telemetry::install_metrics;
