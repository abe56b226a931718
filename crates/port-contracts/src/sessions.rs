use crate::Backend;
use crate::fixture::*;
use std::net::IpAddr;
use tertulia_domain::repository::{Activity, NewSession, RotateRefresh, Rotation, UserChanges};
use tertulia_domain::{
    Caller, ClaimedSession, DeviceName, RefreshHashes, Role, Session, SessionId, Timestamp, User, UserId,
};

/// Stores a session and gives it back.
async fn insert(b: &Backend, new: NewSession) -> Session {
    let session = new.session.clone();
    assert!(b.sessions.insert(new, 1_000).await.unwrap());
    session
}

async fn is_alive(b: &Backend, session: &Session, at: Timestamp) -> bool {
    b.sessions.find_caller(claimed(session), at).await.unwrap().is_some()
}

fn claimed(session: &Session) -> ClaimedSession {
    ClaimedSession { session_id: session.id, user_id: session.user_id }
}

/// The ids of the user's sessions, in the list's order.
async fn listed(b: &Backend, user: UserId, at: Timestamp) -> Vec<SessionId> {
    b.sessions.list(user, at).await.unwrap().into_iter().map(|session| session.id).collect()
}

fn hashes(family: u8, secret: u8) -> RefreshHashes {
    RefreshHashes { family: [family; 32], secret: [secret; 32] }
}

/// A session whose refresh token is the first of family 1.
async fn refreshable(b: &Backend) -> (User, Session) {
    let user = b.user("ana").await;
    let session = insert(b, NewSession { refresh: hashes(1, 1), ..new_session(user.id, at(0), at(100)) }).await;
    (user, session)
}

/// Presents a token, to be followed by the next secret, at a moment.
fn rotation(session: &Session, presented: RefreshHashes, next: u8, now: i64) -> RotateRefresh {
    RotateRefresh {
        session_id: session.id,
        presented,
        next_secret: [next; 32],
        at: at(now),
        expires_at: at(now + 100),
    }
}

pub async fn an_inserted_session_is_what_was_given(b: Backend) {
    let user = b.user("ana").await;
    let devices = [None, Some("Ana's \"phone\" \\ 📱 %_")];
    let addresses = [None, Some("203.0.113.9"), Some("2001:db8::ff00:42:8329"), Some("::1")];
    for device in devices {
        for address in addresses {
            let mut new = new_session(user.id, at(-5), at(LIFE));
            new.session.device = device.map(|text| DeviceName::new(text).unwrap());
            new.session.ip = address.map(|text| text.parse::<IpAddr>().unwrap());
            new.session.last_used_at = at(3);
            let session = insert(&b, new).await;
            assert_eq!(b.sessions.list(user.id, at(5)).await.unwrap(), [session.clone()]);
            assert!(b.sessions.end(user.id, session.id).await.unwrap());
        }
    }
}

pub async fn times_keep_their_milliseconds(b: Backend) {
    let user = b.user("ana").await;
    let mut new = new_session(user.id, Timestamp::from_millis(1), Timestamp::from_millis(i64::MAX));
    new.session.last_used_at = Timestamp::from_millis(999);
    let session = insert(&b, new).await;
    assert_eq!(b.sessions.list(user.id, at(0)).await.unwrap(), [session]);
}

pub async fn nobody_gets_a_session(b: Backend) {
    let user = b.user("ana").await;
    b.users.delete(user.id, false, at(1)).await.unwrap();
    for id in [user.id, user_id()] {
        let new = new_session(id, at(2), at(LIFE));
        let session = new.session.clone();
        assert!(!b.sessions.insert(new, 10).await.unwrap());
        assert!(!is_alive(&b, &session, at(3)).await);
        assert!(listed(&b, id, at(3)).await.is_empty());
    }
}

pub async fn one_session_too_many_ends_the_least_recently_used(b: Backend) {
    let user = b.user("ana").await;
    let stranger = b.person("luis").await;
    let mut sessions = Vec::new();
    // Created in one order, used in another.
    for used in [30, 10, 20] {
        let mut new = new_session(user.id, at(0), at(LIFE));
        new.session.last_used_at = at(used);
        sessions.push(insert(&b, new).await);
    }
    let alive = async || {
        let mut alive = Vec::new();
        for session in &sessions {
            alive.push(is_alive(&b, session, at(100)).await);
        }
        alive
    };
    assert!(b.sessions.insert(new_session(user.id, at(40), at(LIFE)), 4).await.unwrap());
    assert_eq!(alive().await, [true, true, true], "four are not more than four");
    assert!(b.sessions.insert(new_session(user.id, at(50), at(LIFE)), 4).await.unwrap());
    assert_eq!(alive().await, [true, false, true]);
    // As many as it takes.
    assert!(b.sessions.insert(new_session(user.id, at(60), at(LIFE)), 2).await.unwrap());
    assert_eq!(alive().await, [false, false, false]);
    let left = b.sessions.list(user.id, at(100)).await.unwrap();
    assert_eq!(left.iter().map(|session| session.created_at).collect::<Vec<_>>(), [at(60), at(50)]);
    assert!(b.sessions.find_caller(stranger.session, at(100)).await.unwrap().is_some());
}

pub async fn expired_sessions_are_not_counted(b: Backend) {
    let user = b.user("ana").await;
    let live = insert(&b, new_session(user.id, at(0), at(LIFE))).await;
    // Used later than the live one, but expired when the next one comes.
    let mut expired = new_session(user.id, at(5), at(20));
    expired.session.last_used_at = at(15);
    insert(&b, expired).await;
    assert!(b.sessions.insert(new_session(user.id, at(20), at(LIFE)), 2).await.unwrap());
    assert!(is_alive(&b, &live, at(20)).await);
    assert!(b.sessions.insert(new_session(user.id, at(21), at(LIFE)), 2).await.unwrap());
    assert!(!is_alive(&b, &live, at(21)).await);
}

pub async fn a_caller_is_found_until_the_session_ends(b: Backend) {
    let ana = b.person("ana").await;
    let luis = b.person("luis").await;
    let expected = Caller { user_id: ana.id, session_id: ana.session.session_id, role: Role::User, blocks: false };
    assert_eq!(b.sessions.find_caller(ana.session, at(1)).await.unwrap(), Some(expected));
    let others = ClaimedSession { user_id: luis.id, ..ana.session };
    assert_eq!(b.sessions.find_caller(others, at(1)).await.unwrap(), None);
    let unknown = ClaimedSession { session_id: session_id(), ..ana.session };
    assert_eq!(b.sessions.find_caller(unknown, at(1)).await.unwrap(), None);
    assert!(b.sessions.end(ana.id, ana.session.session_id).await.unwrap());
    assert_eq!(b.sessions.find_caller(ana.session, at(1)).await.unwrap(), None);
    assert!(b.sessions.find_caller(luis.session, at(1)).await.unwrap().is_some());
}

pub async fn a_session_expires_at_the_moment_it_says(b: Backend) {
    let user = b.user("ana").await;
    let session = insert(&b, new_session(user.id, at(0), at(100))).await;
    for (now, alive) in [(0, true), (99, true), (100, false), (101, false)] {
        assert_eq!(is_alive(&b, &session, at(now)).await, alive, "{now}");
        assert_eq!(!listed(&b, user.id, at(now)).await.is_empty(), alive, "{now}");
    }
}

pub async fn a_callers_role_is_the_present_one(b: Backend) {
    let ana = b.person("ana").await;
    for role in [Role::Admin, Role::User] {
        b.users.update(ana.id, UserChanges { role: Some(role), ..UserChanges::default() }, at(1)).await.unwrap();
        assert_eq!(b.sessions.find_caller(ana.session, at(1)).await.unwrap().unwrap().role, role);
    }
}

pub async fn a_refresh_moves_the_session_on(b: Backend) {
    let (user, session) = refreshable(&b).await;
    let outcome = b.sessions.rotate(rotation(&session, hashes(1, 1), 2, 50)).await.unwrap();
    let moved = Session { last_used_at: at(50), expires_at: at(150), ..session.clone() };
    assert_eq!(outcome, Rotation::Rotated { session: moved.clone(), user: Box::new(b.find_user(user.id).await) });
    assert_eq!(b.sessions.list(user.id, at(149)).await.unwrap(), [moved]);
    assert!(is_alive(&b, &session, at(149)).await);
    assert!(!is_alive(&b, &session, at(150)).await);
    // The next token is the one that goes on; the family stays.
    let outcome = b.sessions.rotate(rotation(&session, hashes(1, 2), 3, 60)).await.unwrap();
    assert_matches!(outcome, Rotation::Rotated { .. });
    assert_eq!(outcome, Rotation::Rotated {
        session: Session { last_used_at: at(60), expires_at: at(160), ..session },
        user: Box::new(b.find_user(user.id).await),
    });
}

pub async fn an_old_token_ends_the_session(b: Backend) {
    let (user, session) = refreshable(&b).await;
    let bystander = b.session(user.id).await;
    for (presented, next) in [(1, 2), (2, 3)] {
        let outcome = b.sessions.rotate(rotation(&session, hashes(1, presented), next, 10)).await.unwrap();
        assert_matches!(outcome, Rotation::Rotated { .. });
    }
    assert_eq!(b.sessions.rotate(rotation(&session, hashes(1, 1), 4, 20)).await.unwrap(), Rotation::Reused);
    assert!(!is_alive(&b, &session, at(20)).await);
    // The newest one is worth nothing any more either.
    assert_eq!(b.sessions.rotate(rotation(&session, hashes(1, 3), 4, 21)).await.unwrap(), Rotation::Unknown);
    assert!(b.sessions.find_caller(bystander, at(20)).await.unwrap().is_some());
}

pub async fn a_token_that_means_nothing_does_nothing(b: Backend) {
    let (user, session) = refreshable(&b).await;
    let nowhere = Session { id: session_id(), ..session.clone() };
    assert_eq!(b.sessions.rotate(rotation(&nowhere, hashes(1, 1), 2, 10)).await.unwrap(), Rotation::Unknown);
    // Another family, be the secret right or not.
    for secret in [1, 9] {
        let outcome = b.sessions.rotate(rotation(&session, hashes(2, secret), 2, 10)).await.unwrap();
        assert_eq!(outcome, Rotation::Unknown);
    }
    assert_eq!(b.sessions.list(user.id, at(10)).await.unwrap(), [session.clone()]);
    // Expired, at that very moment too; an old token is then no reuse either.
    for (now, secret) in [(100, 1), (100, 9), (101, 1)] {
        let outcome = b.sessions.rotate(rotation(&session, hashes(1, secret), 2, now)).await.unwrap();
        assert_eq!(outcome, Rotation::Unknown);
    }
    let outcome = b.sessions.rotate(rotation(&session, hashes(1, 1), 2, 99)).await.unwrap();
    assert_matches!(outcome, Rotation::Rotated { .. });
    assert!(b.sessions.end(user.id, session.id).await.unwrap());
    assert_eq!(b.sessions.rotate(rotation(&session, hashes(1, 2), 3, 99)).await.unwrap(), Rotation::Unknown);
}

pub async fn a_refresh_gives_the_present_user(b: Backend) {
    let (user, session) = refreshable(&b).await;
    let promotion = UserChanges { role: Some(Role::Admin), ..UserChanges::default() };
    let promoted = b.users.update(user.id, promotion, at(5)).await.unwrap();
    match b.sessions.rotate(rotation(&session, hashes(1, 1), 2, 10)).await.unwrap() {
        Rotation::Rotated { user, .. } => assert_eq!(User { last_seen_at: None, ..*user }, promoted),
        other => panic!("{other:?}"),
    }
}

pub async fn sessions_are_listed_newest_first(b: Backend) {
    let user = b.user("ana").await;
    b.person("luis").await;
    let mut expected = Vec::new();
    for created in [20, 10, 10, 10, 10, 30] {
        let mut new = new_session(user.id, at(created), at(LIFE));
        new.session.last_used_at = at(100 - created);
        expected.push(insert(&b, new).await);
    }
    insert(&b, new_session(user.id, at(25), at(50))).await;
    expected.sort_by_key(|session| std::cmp::Reverse((session.created_at, session.id)));
    assert_eq!(b.sessions.list(user.id, at(50)).await.unwrap(), expected);
    assert_eq!(b.sessions.list(user_id(), at(50)).await.unwrap(), []);
}

pub async fn one_session_is_ended(b: Backend) {
    let ana = b.person("ana").await;
    let luis = b.person("luis").await;
    let other = b.session(ana.id).await;
    assert!(!b.sessions.end(luis.id, ana.session.session_id).await.unwrap(), "it is not his");
    assert!(!b.sessions.end(ana.id, session_id()).await.unwrap());
    assert_eq!(listed(&b, ana.id, at(1)).await.len(), 2);
    assert!(b.sessions.end(ana.id, ana.session.session_id).await.unwrap());
    assert_eq!(listed(&b, ana.id, at(1)).await, [other.session_id]);
    assert!(!b.sessions.end(ana.id, ana.session.session_id).await.unwrap(), "it has ended already");
}

pub async fn all_sessions_are_ended_and_counted(b: Backend) {
    let ana = b.person("ana").await;
    let luis = b.person("luis").await;
    b.session(ana.id).await;
    b.session(ana.id).await;
    assert_eq!(b.sessions.end_all(ana.id).await.unwrap(), 3);
    assert!(listed(&b, ana.id, at(1)).await.is_empty());
    assert!(b.sessions.find_caller(ana.session, at(1)).await.unwrap().is_none());
    assert!(b.sessions.find_caller(luis.session, at(1)).await.unwrap().is_some());
    assert_eq!(b.sessions.end_all(ana.id).await.unwrap(), 0);
    assert_eq!(b.sessions.end_all(user_id()).await.unwrap(), 0);
}

pub async fn activity_moves_forward_only(b: Backend) {
    let ana = b.person("ana").await;
    let luis = b.person("luis").await;
    let (ana_before, luis_before) = (b.find_user(ana.id).await, b.find_user(luis.id).await);
    let used = async |person: Person| b.sessions.list(person.id, at(0)).await.unwrap()[0].last_used_at;
    for (now, expected) in [(10, 10), (5, 10), (10, 10), (11, 11)] {
        b.sessions.record_activity(vec![Activity { session: ana.session, at: at(now) }]).await.unwrap();
        assert_eq!(used(ana).await, at(expected));
        // Only that: being seen is no change of the account.
        assert_eq!(b.find_user(ana.id).await, User { last_seen_at: Some(at(expected)), ..ana_before.clone() });
    }
    assert_eq!((used(luis).await, b.find_user(luis.id).await), (at(0), luis_before));
}

pub async fn a_batch_of_activity_holds_anything(b: Backend) {
    let ana = b.person("ana").await;
    let luis = b.person("luis").await;
    let second = b.session(ana.id).await;
    let gone = b.person("eva").await;
    b.sessions.end_all(gone.id).await.unwrap();
    let nobody = ClaimedSession { session_id: session_id(), user_id: user_id() };
    let activity = |session, now| Activity { session, at: at(now) };
    let batch = vec![
        activity(ana.session, 20),
        activity(second, 50),
        activity(nobody, 60),
        // One session more than once, the latest use neither first nor last.
        activity(luis.session, 10),
        activity(luis.session, 30),
        activity(luis.session, 20),
        activity(gone.session, 5),
        activity(ana.session, 40),
    ];
    b.sessions.record_activity(batch).await.unwrap();
    b.sessions.record_activity(vec![]).await.unwrap();
    b.sessions.record_activity(vec![activity(nobody, 1)]).await.unwrap();
    let used = async |claim: ClaimedSession| {
        let sessions = b.sessions.list(claim.user_id, at(0)).await.unwrap();
        sessions.into_iter().find(|session| session.id == claim.session_id).map(|session| session.last_used_at)
    };
    assert_eq!(used(ana.session).await, Some(at(40)));
    assert_eq!(used(second).await, Some(at(50)));
    assert_eq!(used(luis.session).await, Some(at(30)));
    assert_eq!(used(gone.session).await, None);
    assert_eq!(b.find_user(ana.id).await.last_seen_at, Some(at(50)));
    assert_eq!(b.find_user(luis.id).await.last_seen_at, Some(at(30)));
    assert_eq!(b.users.find(nobody.user_id).await.unwrap(), None);
}

pub async fn activity_in_somebody_elses_session_does_not_move_it(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let before = b.sessions.list(ana.id, at(0)).await.unwrap();
    let others = ClaimedSession {
        user_id: luis.id,
        ..ana.session
    };
    let activity = Activity {
        session: others,
        at: at(10),
    };
    b.sessions.record_activity(vec![activity]).await.unwrap();
    assert_eq!(b.sessions.list(ana.id, at(0)).await.unwrap(), before);
    assert_eq!(b.find_user(ana.id).await.last_seen_at, None);
}

pub async fn activity_of_a_thousand_sessions_is_one_batch(b: Backend) {
    let people = b.crowd(20).await;
    let batch = (0..2_000).map(|n| Activity { session: people[n % 20].session, at: at(i64::try_from(n).unwrap()) });
    b.sessions.record_activity(batch.collect()).await.unwrap();
    for (n, person) in (1_980..).zip(&people) {
        assert_eq!(b.find_user(person.id).await.last_seen_at, Some(at(n)));
    }
}
