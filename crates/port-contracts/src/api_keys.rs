use crate::Backend;
use crate::fixture::*;
use tertulia_domain::repository::{
    Activity, AppendError, AppendMessage, ListChatsError, ListMessages, ListMessagesError, Purged, RotateRefresh,
    Rotation, UserChanges,
};
use tertulia_domain::{ApiKey, Caller, ClaimedSession, DeviceName, MessageRange, RefreshHashes, Role, Scopes};

/// Stores a key under the hash of that number; gives what it stands for.
async fn insert(b: &Backend, key: ApiKey, hash: u8) -> ClaimedSession {
    let claim = ClaimedSession { session_id: key.id, user_id: key.user_id };
    assert!(b.api_keys.insert(key, [hash; 32], 100).await.unwrap());
    claim
}

async fn is_good(b: &Backend, hash: u8, now: i64) -> bool {
    b.api_keys.find([hash; 32], at(now)).await.unwrap().is_some()
}

pub async fn a_key_is_found_by_its_hash(b: Backend) {
    let ana = b.person("ana").await;
    let mut keys = Vec::new();
    let scopes: [&[&str]; 4] = [&["read"], &["write", "manage"], &["read", "write", "manage"], &["manage"]];
    for (n, words) in (1..).zip(scopes) {
        let key = ApiKey {
            name: DeviceName::new("Bot's 'key' 😀 %").unwrap(),
            scopes: Scopes::parse(words.iter().copied()).unwrap(),
            expires_at: (n % 2 == 0).then(|| at(1_000 + i64::from(n))),
            ..new_key(ana, at(i64::from(n)))
        };
        let claim = insert(&b, key.clone(), n).await;
        assert_eq!(b.api_keys.find([n; 32], at(5)).await.unwrap(), Some((claim, key.scopes)));
        keys.insert(0, key);
    }
    assert_eq!(b.api_keys.find([9; 32], at(5)).await.unwrap(), None);
    assert_eq!(b.api_keys.list(ana.id).await.unwrap(), keys, "newest first");
    assert_eq!(b.api_keys.list(user_id()).await.unwrap(), []);
}

pub async fn a_key_expires_at_the_moment_it_says(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let key = ApiKey { expires_at: Some(at(100)), ..new_key(ana, at(0)) };
    let claim = insert(&b, key.clone(), 1).await;
    for (now, good) in [(0, true), (99, true), (100, false), (101, false)] {
        assert_eq!(is_good(&b, 1, now).await, good, "{now}");
        assert_eq!(b.sessions.find_caller(claim, at(now)).await.unwrap().is_some(), good, "{now}");
        let sent = b.messages.append(AppendMessage { session: claim, ..ana.message(chat, "hello", at(now)) }).await;
        match sent {
            Ok(_) => assert!(good),
            Err(AppendError::SessionEnded) => assert!(!good),
            Err(error) => panic!("{error:?}"),
        }
        assert_eq!(b.api_keys.list(ana.id).await.unwrap(), [key.clone()], "the expired ones too");
    }
    // One that never does.
    insert(&b, new_key(ana, at(0)), 2).await;
    assert!(is_good(&b, 2, 100 * LIFE).await);
}

pub async fn a_user_has_so_many_keys_at_the_most(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let most = async |person, hash: u8, most| {
        b.api_keys.insert(new_key(person, at(i64::from(hash))), [hash; 32], most).await.unwrap()
    };
    assert!(most(ana, 1, 2).await && most(ana, 2, 2).await);
    assert!(!most(ana, 3, 2).await);
    assert!(!is_good(&b, 3, 10).await && b.api_keys.list(ana.id).await.unwrap().len() == 2);
    assert!(most(luis, 4, 2).await, "somebody else's are not counted");
    let first = b.api_keys.list(ana.id).await.unwrap()[1].id;
    assert!(b.api_keys.revoke(ana.id, first).await.unwrap());
    assert!(most(ana, 5, 2).await && !most(ana, 6, 2).await);
    // Sessions are no keys.
    b.session(luis.id).await;
    assert!(most(luis, 7, 2).await);
}

pub async fn nobody_gets_a_key(b: Backend) {
    let ana = b.person("ana").await;
    b.users.delete(ana.id, false, at(1)).await.unwrap();
    assert!(!b.api_keys.insert(new_key(ana, at(2)), [1; 32], 10).await.unwrap());
    let nobodys = ApiKey { user_id: user_id(), ..new_key(ana, at(2)) };
    assert!(!b.api_keys.insert(nobodys, [2; 32], 10).await.unwrap());
    assert!(!is_good(&b, 1, 3).await && !is_good(&b, 2, 3).await);
}

pub async fn a_revoked_key_is_gone(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[]).await;
    let [claim, other] = [insert(&b, new_key(ana, at(0)), 1).await, insert(&b, new_key(ana, at(1)), 2).await];
    assert!(!b.api_keys.revoke(luis.id, claim.session_id).await.unwrap());
    assert!(!b.api_keys.revoke(ana.id, session_id()).await.unwrap());
    assert!(!b.api_keys.revoke(ana.id, ana.session.session_id).await.unwrap(), "a session is no key");
    assert!(is_good(&b, 1, 1).await);
    assert!(b.api_keys.revoke(ana.id, claim.session_id).await.unwrap());
    assert!(!is_good(&b, 1, 1).await && is_good(&b, 2, 1).await);
    assert_eq!(b.sessions.find_caller(claim, at(1)).await.unwrap(), None);
    let refused = b.messages.append(AppendMessage { session: claim, ..ana.message(chat, "hello", at(1)) }).await;
    assert_matches!(refused, Err(AppendError::SessionEnded));
    assert!(!b.api_keys.revoke(ana.id, claim.session_id).await.unwrap());
    assert!(b.sessions.find_caller(other, at(1)).await.unwrap().is_some());
    assert!(b.sessions.find_caller(ana.session, at(1)).await.unwrap().is_some());
}

pub async fn a_key_does_what_a_session_does(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let apart = b.group(luis, &[]).await;
    let key = Person { id: ana.id, session: insert(&b, new_key(ana, at(0)), 1).await };
    let caller = Caller { user_id: ana.id, session_id: key.session.session_id, role: Role::User, blocks: false };
    assert_eq!(b.sessions.find_caller(key.session, at(1)).await.unwrap(), Some(caller));
    let claimed = ClaimedSession { user_id: luis.id, ..key.session };
    assert_eq!(b.sessions.find_caller(claimed, at(1)).await.unwrap(), None);
    let sent = b.send(chat, key, "I am a bot", at(1)).await;
    assert_eq!(sent.sender.id, ana.id);
    assert_eq!(b.history(chat, key, MessageRange::Newest, 5).await.items, [sent]);
    assert_eq!(b.chat_page(key, None, 5).await, b.chat_page(ana, None, 5).await);
    assert_matches!(b.messages.append(key.message(apart, "x", at(1))).await, Err(AppendError::ChatNotFound));
    b.api_keys.revoke(ana.id, key.session.session_id).await.unwrap();
    let list =
        ListMessages { chat_id: chat, session: key.session, range: MessageRange::Newest, limit: limit(5), at: at(2) };
    assert_matches!(b.messages.list(list).await, Err(ListMessagesError::SessionEnded));
    let list = b.chats.list(key.session, None, limit(5), at(2)).await;
    assert_matches!(list, Err(ListChatsError::SessionEnded));
}

pub async fn the_last_use_of_a_key_is_recorded(b: Backend) {
    let ana = b.person("ana").await;
    let key = new_key(ana, at(0));
    let claim = insert(&b, key.clone(), 1).await;
    for (now, last) in [(50, 50), (40, 50), (60, 60)] {
        b.sessions.record_activity(vec![Activity { session: claim, at: at(now) }]).await.unwrap();
        let used = ApiKey { last_used_at: at(last), ..key.clone() };
        assert_eq!(b.api_keys.list(ana.id).await.unwrap(), [used]);
        assert_eq!(b.find_user(ana.id).await.last_seen_at, Some(at(last)));
    }
}

pub async fn keys_are_not_among_the_sessions(b: Backend) {
    let ana = b.person("ana").await;
    let claim = insert(&b, ApiKey { expires_at: Some(at(LIFE)), ..new_key(ana, at(0)) }, 1).await;
    insert(&b, new_key(ana, at(1)), 2).await;
    let listed = b.sessions.list(ana.id, at(2)).await.unwrap();
    assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [ana.session.session_id]);
    assert!(!b.sessions.end(ana.id, claim.session_id).await.unwrap());
    // Nor do they count as sessions, and are ended instead of one.
    assert!(b.sessions.insert(new_session(ana.id, at(3), at(LIFE)), 2).await.unwrap());
    assert_eq!(b.sessions.list(ana.id, at(4)).await.unwrap().len(), 2);
    assert!(b.sessions.insert(new_session(ana.id, at(5), at(LIFE)), 1).await.unwrap());
    assert_eq!(b.sessions.list(ana.id, at(6)).await.unwrap().len(), 1);
    assert!(is_good(&b, 1, 6).await && is_good(&b, 2, 6).await);
    let rotation = RotateRefresh {
        session_id: claim.session_id,
        presented: RefreshHashes { family: [1; 32], secret: [1; 32] },
        next_secret: [2; 32],
        at: at(6),
        expires_at: at(LIFE),
    };
    assert_eq!(b.sessions.rotate(rotation).await.unwrap(), Rotation::Unknown);
    assert!(is_good(&b, 1, 6).await);
}

pub async fn keys_do_not_end_with_the_sessions(b: Backend) {
    let ana = b.person("ana").await;
    let claim = insert(&b, ApiKey { expires_at: Some(at(LIFE)), ..new_key(ana, at(0)) }, 1).await;
    assert_eq!(b.sessions.end_all(ana.id).await.unwrap(), 1);
    assert!(is_good(&b, 1, 1).await);
    assert!(b.users.set_password(ana.id, &password("new"), None, at(2)).await.unwrap());
    assert!(is_good(&b, 1, 3).await);
    b.users.update(ana.id, UserChanges { role: Some(Role::Admin), ..UserChanges::default() }, at(3)).await.unwrap();
    assert_eq!(b.sessions.find_caller(claim, at(3)).await.unwrap().unwrap().role, Role::Admin);
}

pub async fn a_purge_leaves_keys_to_their_owner(b: Backend) {
    let ana = b.person("ana").await;
    let expired = ApiKey { expires_at: Some(at(10)), ..new_key(ana, at(0)) };
    insert(&b, expired.clone(), 1).await;
    let forever = new_key(ana, at(1));
    insert(&b, forever.clone(), 2).await;
    assert_eq!(b.maintenance.purge(at(100)).await.unwrap(), Purged::default());
    assert_eq!(b.api_keys.list(ana.id).await.unwrap(), [forever, expired]);
}

pub async fn a_deleted_users_keys_are_gone(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let claim = insert(&b, new_key(ana, at(0)), 1).await;
    insert(&b, new_key(luis, at(0)), 2).await;
    let erased = b.users.delete(ana.id, false, at(1)).await.unwrap().unwrap();
    assert_eq!(erased.sessions, 1, "a key is no session");
    assert!(!is_good(&b, 1, 2).await && is_good(&b, 2, 2).await);
    assert_eq!(b.api_keys.list(ana.id).await.unwrap(), []);
    assert_eq!(b.sessions.find_caller(claim, at(2)).await.unwrap(), None);
}
