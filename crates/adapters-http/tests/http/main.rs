//! The API through a socket: what it takes, what it answers, and how it fails.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod authentication;
#[cfg(test)]
mod chats;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod world;
