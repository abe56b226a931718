//! The API through a socket: what it takes, what it answers, and how it fails.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod authentication;
#[cfg(test)]
mod chats;
#[cfg(test)]
mod compat;
#[cfg(test)]
mod cross_origin;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod files;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod mails;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod moderation;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod world;
