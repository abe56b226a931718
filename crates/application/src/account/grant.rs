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
    /// How long the access token is to be good for.
    pub lifetime: AccessLifetime,
}

/// How long an access token is good for. Whichever it is, it is dead once its session has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AccessLifetime {
    /// As short as the operator has it: the client refreshes it.
    #[default]
    Short,
    /// As long as the session: for clients that know no refresh tokens.
    Session,
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
        let lifetime = client.lifetime;
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
        self.grant(user, session, &refresh, lifetime).map(Some)
    }

    pub(super) fn grant(
        &self,
        user: User,
        session: Session,
        refresh: &RefreshToken,
        lifetime: AccessLifetime,
    ) -> Result<Grant, Failure> {
        let claimed = ClaimedSession {
            session_id: session.id,
            user_id: user.id,
        };
        let at = self.clock.now();
        let access = match lifetime {
            AccessLifetime::Short => self.tokens.issue(claimed, at)?,
            AccessLifetime::Session => self.tokens.issue_until(claimed, at, session.expires_at)?,
        };
        self.presence.note(claimed);
        Ok(Grant {
            user,
            session,
            access,
            refresh_token: refresh.show(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, NOW, POLICY, World, access_token, fresh, passes_on, repository_errors, secret, session, token_errors, user,
    };
    use mockall::predicate::eq;
    use sha2::{Digest, Sha256};
    use std::net::Ipv4Addr;

    fn phone() -> Client {
        Client {
            device: Some(DeviceName::new("phone").unwrap()),
            ip: Some(Ipv4Addr::LOCALHOST.into()),
            lifetime: AccessLifetime::Short,
        }
    }

    fn opened() -> Session {
        let Client { device, ip, .. } = phone();
        Session {
            id: SessionId::from_uuid(fresh(1)),
            device,
            ip,
            ..session()
        }
    }

    #[tokio::test]
    async fn stores_hashes_and_shows_the_secrets_once() {
        let mut world = World::default();
        world
            .sessions
            .expect_insert()
            .withf(|new, most| {
                let hashed = |n| <[u8; 32]>::from(Sha256::digest(secret(n)));
                let NewSession { session, refresh } = new;
                *session == opened()
                    && (refresh.family, refresh.secret) == (hashed(1), hashed(2))
                    && *most == POLICY.most
            })
            .once()
            .returning(|_, _| Ok(true));
        let claimed = ClaimedSession {
            session_id: opened().id,
            user_id: ANA,
        };
        let issued = world.tokens.expect_issue().with(eq(claimed), eq(NOW)).once();
        issued.returning(|_, _| Ok(access_token("access")));
        let services = world.services();
        let grant = services
            .accounts
            .open_session(user(ANA), phone())
            .await
            .unwrap()
            .unwrap();
        assert_eq!((grant.user, grant.session), (user(ANA), opened()));
        assert_eq!(grant.access, access_token("access"));
        let refresh = RefreshToken::parse(&grant.refresh_token).unwrap();
        assert_eq!(refresh.session_id, opened().id);
        assert_eq!((refresh.family, refresh.secret), (secret(1), secret(2)));
        assert!(services.presence.is_online(&user(ANA)));
    }

    #[tokio::test]
    async fn a_client_without_refresh_tokens_gets_one_for_the_whole_session() {
        let mut world = World::default();
        world.sessions.expect_insert().once().returning(|_, _| Ok(true));
        world.tokens.expect_issue().never();
        let claimed = ClaimedSession {
            session_id: opened().id,
            user_id: ANA,
        };
        let issued = world.tokens.expect_issue_until().once();
        issued
            .with(eq(claimed), eq(NOW), eq(opened().expires_at))
            .returning(|_, _, _| Ok(access_token("access")));
        let client = Client {
            lifetime: AccessLifetime::Session,
            ..phone()
        };
        let grant = world.services().accounts.open_session(user(ANA), client).await;
        assert_eq!(grant.unwrap().unwrap().access, access_token("access"));
    }

    #[tokio::test]
    async fn a_deleted_user_gets_nothing() {
        let mut world = World::default();
        world.sessions.expect_insert().once().returning(|_, _| Ok(false));
        world.tokens.expect_issue().never();
        let services = world.services();
        let opened = services.accounts.open_session(user(ANA), phone()).await;
        assert!(opened.unwrap().is_none());
        assert!(!services.presence.is_online(&user(ANA)));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.sessions.expect_insert().return_once(|_, _| Err(cause));
            world.tokens.expect_issue().never();
            world.services().accounts.open_session(user(ANA), phone()).await
        })
        .await;
        passes_on(token_errors, async |cause| {
            let mut world = World::default();
            world.sessions.expect_insert().returning(|_, _| Ok(true));
            world.tokens.expect_issue().return_once(|_, _| Err(cause));
            world.services().accounts.open_session(user(ANA), phone()).await
        })
        .await;
        passes_on(token_errors, async |cause| {
            let mut world = World::default();
            world.sessions.expect_insert().returning(|_, _| Ok(true));
            world.tokens.expect_issue_until().return_once(|_, _, _| Err(cause));
            let client = Client {
                lifetime: AccessLifetime::Session,
                ..phone()
            };
            world.services().accounts.open_session(user(ANA), client).await
        })
        .await;
    }

    #[test]
    fn debug_output_is_silent() {
        let grant = Grant {
            user: user(ANA),
            session: session(),
            access: access_token("hush"),
            refresh_token: "hush".into(),
        };
        assert!(!format!("{grant:?}").contains("hush"));
    }
}
