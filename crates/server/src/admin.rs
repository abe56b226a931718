//! Commands that work on the database without a server.

use crate::cli::Failure;
use crate::config::{Config, Secret, Settings};
use crate::database::{self, WhenUnreachable};
use crate::outside::Outside;
use crate::startup;
use anyhow::{Context, anyhow};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, Args};
use std::io::{self, BufRead, IsTerminal};
use std::sync::Arc;
use tertulia_adapters_system::{Ed25519TokenIssuer, SigningKey};
use tertulia_application::account;
use tertulia_domain::{DisplayName, Email, Password, PasswordPolicy, Role, UserId, Username};

/// What concerns the server alone.
const SERVERS_OWN: [&str; 29] = [
    "listen",
    "mount",
    "workers",
    "hash_threads",
    "access_token_ttl",
    "session_ttl",
    "shutdown_timeout",
    "public_url",
    "max_file_size",
    "file_store",
    "s3_endpoint",
    "s3_region",
    "s3_access_key_id",
    "s3_secret_access_key",
    "tidy_interval",
    "smtp_url",
    "smtp_ca",
    "mail_from",
    "nats_url",
    "verify_email",
    "rate_limits",
    "no_rate_limits",
    "rate_limit_auth",
    "rate_limit_address",
    "rate_limit_reads",
    "rate_limit_writes",
    "rate_limit_uploads",
    "trusted_proxies",
    "allowed_origins",
];

#[derive(Debug, Args)]
#[command(mut_args(hide_servers_own))]
pub(crate) struct CreateUser {
    /// 3 to 32 letters, digits, '_', '-' or '.'
    #[arg(long, value_name = "NAME", value_parser = Username::new)]
    username: Username,

    /// 8 to 128 characters; left out, it is asked for, which keeps it out of the list of processes
    #[arg(long, value_name = "TEXT", conflicts_with = "password_stdin")]
    password: Option<Secret>,

    /// Take the first line of standard input as the password
    #[arg(long)]
    password_stdin: bool,

    /// What the user may do in the whole service
    #[arg(long, value_name = "ROLE", default_value = "user", value_parser = roles())]
    role: Role,

    /// E-mail address
    #[arg(long, value_name = "ADDRESS", value_parser = Email::new)]
    email: Option<Email>,

    /// The name that others see
    #[arg(long, value_name = "TEXT", value_parser = DisplayName::new)]
    display_name: Option<DisplayName>,

    #[command(flatten)]
    settings: Settings,
}

fn hide_servers_own(argument: Arg) -> Arg {
    let hidden = SERVERS_OWN.contains(&argument.get_id().as_str());
    argument.hide(hidden)
}

fn roles() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new([Role::User, Role::Admin].map(Role::as_str))
        .try_map(|word| Role::parse(&word).ok_or("no such role"))
}

impl CreateUser {
    /// Asks for the password if it was not given, and takes the account apart from the settings.
    pub(crate) fn into_parts(self) -> Result<(account::CreateUser, Settings), Failure> {
        let password = match self.password {
            Some(given) => given.expose().to_owned(),
            None if self.password_stdin => first_line(&mut io::stdin().lock())?,
            None => ask()?,
        };
        let password = Password::new(password, PasswordPolicy::Standard)
            .map_err(|error| Failure::Usage(anyhow!("the password {error}")))?;
        let account = account::CreateUser {
            username: self.username,
            email: self.email,
            display_name: self.display_name,
            password,
            role: self.role,
        };
        Ok((account, self.settings))
    }
}

/// Makes the account, in a database whose schema it brings up to date before.
pub(crate) async fn create_user(config: &Config, account: account::CreateUser) -> anyhow::Result<UserId> {
    let database = database::open(config, WhenUnreachable::Fail).await?;
    // Nobody logs in here: a key that signs nothing.
    let tokens = Ed25519TokenIssuer::new(
        SigningKey::generate()?,
        Arc::clone(&database.keys),
        config.access_token_ttl,
    );
    let outside = Outside::absent().context("cannot start threads")?;
    let services = startup::services(&database, tokens, outside, config, String::new())?;
    let user = services.accounts.create_user(account).await;
    Ok(user.context("cannot make the account")?.id)
}

fn first_line(input: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    input
        .read_line(&mut line)
        .context("cannot read the password from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn ask() -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        let reason = "there is no terminal to ask for the password: give --password-stdin or --password";
        return Err(Failure::Usage(anyhow!(reason)));
    }
    let ask = |prompt| rpassword::prompt_password(prompt).context("cannot ask for the password");
    let password = ask("Password: ")?;
    if ask("The same again: ")? == password {
        Ok(password)
    } else {
        Err(Failure::Usage(anyhow!("the two passwords differ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_before_its_end() {
        for (input, password) in [
            ("secret\n", "secret"),
            ("secret\r\n", "secret"),
            ("a b \nc", "a b "),
            ("", ""),
        ] {
            assert_eq!(first_line(&mut input.as_bytes()).unwrap(), password);
        }
    }
}
