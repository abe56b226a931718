//! What the mails say.

use tertulia_domain::repository::MailDraft;
use tertulia_domain::{MailId, Password};

/// To somebody who has forgotten their password.
pub(crate) fn reset_password(id: MailId, public_url: &str, token: &str) -> MailDraft {
    MailDraft {
        id,
        subject: "Reset your password".to_owned(),
        text: format!(
            "Somebody asked to reset the password of your account. If it was you, open this page within an hour:\n\n\
             {public_url}/reset-password#token={token}\n\n\
             or enter this code in your app:\n\n{token}\n\n\
             If it wasn't you, there is nothing to do: your password stays as it is.\n"
        ),
    }
}

/// To somebody who says that this is their mailbox.
pub(crate) fn verify_email(id: MailId, public_url: &str, token: &str) -> MailDraft {
    MailDraft {
        id,
        subject: "Confirm your e-mail address".to_owned(),
        text: format!(
            "To confirm that this is your e-mail address, open this page within a day:\n\n\
             {public_url}/verify-email#token={token}\n\n\
             or enter this code in your app:\n\n{token}\n\n\
             If you don't know what this is about, there is nothing to do.\n"
        ),
    }
}

/// To somebody whose password the service chose; with what else there was to mail to them.
pub(crate) fn first_password(id: MailId, password: &Password, also: Option<MailDraft>) -> MailDraft {
    let also = also.map_or_else(String::new, |mail| format!("\n{}", mail.text));
    MailDraft {
        id,
        subject: "Your new account".to_owned(),
        text: format!(
            "An account was made for this address. Its password is\n\n{}\n\nChange it after you have logged in.\n{also}",
            password.expose()
        ),
    }
}
