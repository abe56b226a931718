use super::AccountService;
use super::refresh_token::RefreshToken;
use crate::Failure;
use crate::ports::AccessToken;
use std::fmt;
use std::net::IpAddr;
use tertulia_domain::repository::NewSession;
use tertulia_domain::{ClaimedSession, DeviceName, Session, SessionId, User};

/// Where a log-in comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// What the client calls itself.
    pub device: Option<DeviceName>,
    /// Its address.
    pub ip: Option<IpAddr>,
}

/// A session with the credentials for it, which are shown this once.
#[derive(Clone)]
pub struct Grant {
    /// Who.
    pub user: User,
    /// In which session.
    pub session: Session,
    /// For requests.
    pub access: AccessToken,
    /// For the next grant; single use.
    pub refresh_token: String,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("session", &self.session)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

impl AccountService {
    /// Opens a session. `None` when the account was deleted in the meantime.
    pub(super) async fn open_session(&self, user: User, client: Client) -> Result<Option<Grant>, Failure> {
        let at = self.clock.now();
        let session = Session {
            id: SessionId::from_uuid(self.ids.next()),
            user_id: user.id,
            device: client.device,
            ip: client.ip,
            created_at: at,
            last_used_at: at,
            expires_at: at.plus(self.policy.idle),
        };
        let refresh = RefreshToken {
            session_id: session.id,
            family: self.secrets.bytes(),
            secret: self.secrets.bytes(),
        };
        let stored = NewSession {
            session: session.clone(),
            refresh: refresh.hashes(),
        };
        if !self.sessions.insert(stored, self.policy.most).await? {
            return Ok(None);
        }
        self.grant(user, session, &refresh).map(Some)
    }

    pub(super) fn grant(&self, user: User, session: Session, refresh: &RefreshToken) -> Result<Grant, Failure> {
        let claimed = ClaimedSession {
            session_id: session.id,
            user_id: user.id,
        };
        let access = self.tokens.issue(claimed, self.clock.now())?;
        self.presence.note(claimed);
        Ok(Grant {
            user,
            session,
            access,
            refresh_token: refresh.show(),
        })
    }
}
