use crate::Backend;
use crate::fixture::*;
use std::collections::BTreeSet;
use tertulia_domain::repository::{InsertUserError, NewUser, UpdateUserError, UserChanges};
use tertulia_domain::{LoginName, Page, Profile, ProfileValue, Role, SearchPrefix, Timestamp, User, UserCursor, UserId};

fn login(text: &str) -> LoginName {
    LoginName::parse(text).unwrap()
}

/// With both names.
fn full_user(name: &str, address: &str) -> NewUser {
    NewUser { email: Some(email(address)), ..new_user(name) }
}

/// With a username that no search here finds.
fn displayed(shown: &str, number: usize) -> NewUser {
    NewUser { display_name: Some(display_name(shown)), ..new_user(&format!("unsearched{number}")) }
}

async fn page(b: &Backend, prefix: Option<&str>, after: Option<UserCursor>, items: u16) -> Page<User, UserCursor> {
    let prefix = prefix.map(|text| SearchPrefix::new(text).unwrap().unwrap());
    b.users.list(prefix, after, limit(items)).await.unwrap()
}

/// The ids that a search finds, in the list's order.
async fn found(b: &Backend, prefix: &str) -> Vec<UserId> {
    page(b, Some(prefix), None, 100).await.items.into_iter().map(|user| user.id).collect()
}

fn ids(users: &[User]) -> Vec<UserId> {
    users.iter().map(|user| user.id).collect()
}

pub async fn an_inserted_user_is_what_was_given(b: Backend) {
    let profile = Profile::new([
        ("phone".to_owned(), ProfileValue::Text("+34 600 'x' \"y\" \\ 😀 {}".to_owned())),
        ("empty".to_owned(), ProfileValue::Text(String::new())),
        ("number_as_text".to_owned(), ProfileValue::Text("42".to_owned())),
        ("truth_as_text".to_owned(), ProfileValue::Text("true".to_owned())),
        ("zero".to_owned(), ProfileValue::Integer(0)),
        ("least".to_owned(), ProfileValue::Integer(i64::MIN)),
        ("most".to_owned(), ProfileValue::Integer(i64::MAX)),
        ("yes".to_owned(), ProfileValue::Boolean(true)),
        ("no".to_owned(), ProfileValue::Boolean(false)),
    ])
    .unwrap();
    let new = NewUser {
        id: user_id(),
        username: Some(username("Ana.López-1_")),
        email: Some(email("Ana+x@Example.ORG")),
        // A letter and its accent apart: display names are kept as they are written.
        display_name: Some(display_name("Ana Lo\u{301}pez 👩\u{200D}🚀 %_\\'\"")),
        profile: profile.clone(),
        role: Role::Admin,
        password: password("ana"),
        mail: None,
        verification: None,
        at: at(7),
    };
    let user = b.users.insert(new.clone()).await.unwrap();
    assert!(user.number > 0);
    let expected = User {
        id: new.id,
        number: user.number,
        username: new.username,
        email: new.email,
        email_verified: false,
        display_name: new.display_name,
        avatar: None,
        profile,
        role: Role::Admin,
        created_at: at(7),
        updated_at: at(7),
        last_seen_at: None,
        suspended_at: None,
        deleted_at: None,
    };
    assert_eq!(user, expected);
    assert_eq!(b.users.find(new.id).await.unwrap(), Some(expected.clone()));
    assert_eq!(page(&b, None, None, 10).await.items, [expected.clone()]);
    let credentials = b.users.find_credentials(&login("ana+x@example.org")).await.unwrap().unwrap();
    assert_eq!((credentials.user, credentials.password), (expected, password("ana")));
}

pub async fn a_user_may_have_a_username_or_an_email_alone(b: Backend) {
    let named = b.user("ana").await;
    let addressed = NewUser { username: None, email: Some(email("luis@example.org")), ..new_user("unused") };
    let addressed = b.users.insert(addressed).await.unwrap();
    assert_eq!((named.username, named.email), (Some(username("ana")), None));
    assert_eq!((addressed.username.clone(), addressed.email.clone()), (None, Some(email("luis@example.org"))));
    assert_eq!(b.users.find(addressed.id).await.unwrap(), Some(addressed));
    // Nothing is not a name that could be taken.
    b.user("eva").await;
    b.users.insert(NewUser { username: None, email: Some(email("eva@example.org")), ..new_user("unused") }).await.unwrap();
}

pub async fn times_keep_their_milliseconds(b: Backend) {
    for (n, millis) in [0, 1, 999, 1_750_000_000_001, 1_750_000_000_999, i64::MAX].into_iter().enumerate() {
        let new = NewUser { at: Timestamp::from_millis(millis), ..new_user(&format!("user{n}")) };
        let user = b.users.insert(new.clone()).await.unwrap();
        assert_eq!((user.created_at, user.updated_at), (new.at, new.at));
        assert_eq!(b.users.find(new.id).await.unwrap(), Some(user));
    }
}

pub async fn numbers_ascend(b: Backend) {
    let mut last = 0;
    for n in 0..5 {
        let user = b.user(&format!("user{n}")).await;
        assert!(user.number > last);
        last = user.number;
        // Neither a refused user nor a deleted one gives a number free.
        assert_matches!(b.users.insert(new_user(&format!("user{n}"))).await, Err(InsertUserError::UsernameTaken));
        b.users.delete(user.id, false, at(1)).await.unwrap();
    }
}

pub async fn a_username_is_unique_without_regard_to_case(b: Backend) {
    for (first, second) in [("ana", "ANA"), ("Straße", "STRASSE"), ("ÉLODIE", "élodie"), ("ＪＵＡＮ", "juan")] {
        b.user(first).await;
        let outcome = b.users.insert(new_user(second)).await;
        assert_matches!(outcome, Err(InsertUserError::UsernameTaken));
    }
    // An accent makes another name.
    b.user("aná").await;
    assert_eq!(page(&b, None, None, 100).await.items.len(), 5);
}

pub async fn an_email_is_unique_without_regard_to_case(b: Backend) {
    b.users.insert(full_user("ana", "Ana@Example.org")).await.unwrap();
    let outcome = b.users.insert(full_user("luis", "aNA@exAMPLE.org")).await;
    assert_matches!(outcome, Err(InsertUserError::EmailTaken));
    assert_eq!(page(&b, None, None, 100).await.items.len(), 1);
    // What was refused took nothing.
    b.users.insert(full_user("luis", "luis@example.org")).await.unwrap();
}

pub async fn of_both_taken_the_username_is_named(b: Backend) {
    let ana = b.users.insert(full_user("ana", "ana@example.org")).await.unwrap();
    b.users.insert(full_user("luis", "luis@example.org")).await.unwrap();
    for new in [full_user("Ana", "Ana@example.org"), full_user("Ana", "luis@example.org")] {
        assert_matches!(b.users.insert(new).await, Err(InsertUserError::UsernameTaken));
    }
    let changes = UserChanges {
        username: Some(Some(username("LUIS"))),
        email: Some(Some(email("Luis@example.org"))),
        ..UserChanges::default()
    };
    assert_matches!(b.users.update(ana.id, changes, at(1)).await, Err(UpdateUserError::UsernameTaken));
}

pub async fn nobody_is_found_where_nobody_is(b: Backend) {
    b.user("ana").await;
    assert_eq!(b.users.find(user_id()).await.unwrap(), None);
    assert!(b.users.find_credentials(&login("anna")).await.unwrap().is_none());
    assert!(b.users.find_credentials(&login("ana@example.org")).await.unwrap().is_none());
    assert!(b.users.find_password(user_id()).await.unwrap().is_none());
}

pub async fn credentials_are_found_by_either_name_in_any_case(b: Backend) {
    let ana = b.users.insert(full_user("Ana_López", "Ana@Example.org")).await.unwrap();
    b.users.insert(full_user("AnaXLópez", "anaXexample@example.org")).await.unwrap();
    for text in ["Ana_López", "ANA_LÓPEZ", "ana@example.ORG"] {
        let credentials = b.users.find_credentials(&login(text)).await.unwrap().expect(text);
        assert_eq!(credentials.user, ana);
        assert_eq!(credentials.password, password("Ana_López"));
    }
    assert_eq!(b.users.find_password(ana.id).await.unwrap(), Some(password("Ana_López")));
    // A username is looked for among usernames only, an address among addresses only.
    for (wrong, right) in [
        (LoginName::Username("ana@example.org".to_owned()), LoginName::Email("ana@example.org".to_owned())),
        (LoginName::Email("ana_lópez".to_owned()), LoginName::Username("ana_lópez".to_owned())),
    ] {
        assert!(b.users.find_credentials(&wrong).await.unwrap().is_none());
        assert!(b.users.find_credentials(&right).await.unwrap().is_some());
    }
}

pub async fn the_list_is_in_order_of_numbers_without_the_deleted(b: Backend) {
    assert_eq!(page(&b, None, None, 10).await, Page { items: vec![], next: None });
    let mut users = Vec::new();
    for n in 0..6 {
        // Neither names nor ids nor times ascend.
        let new = NewUser { at: at(100 - n), ..new_user(&format!("user{}", 9 - n)) };
        users.push(b.users.insert(new).await.unwrap());
    }
    let gone = users.remove(2);
    b.users.delete(gone.id, false, at(200)).await.unwrap();
    assert!(users.is_sorted_by_key(|user| user.number));
    assert_eq!(page(&b, None, None, 10).await, Page { items: users, next: None });
}

pub async fn the_last_page_of_users_says_so(b: Backend) {
    let mut users = Vec::new();
    for n in 0..6 {
        users.push(b.user(&format!("user{n}")).await);
    }
    for (size, pages) in [(1, 6), (2, 3), (3, 2), (4, 2), (5, 2), (6, 1), (7, 1)] {
        let walked = walk(async |after| page(&b, None, after, size).await).await;
        assert_eq!(walked.len(), pages, "pages of {size}");
        assert_eq!(walked.concat(), users, "pages of {size}");
    }
    let past = page(&b, None, Some(UserCursor(users[5].number)), 10).await;
    assert_eq!(past, Page { items: vec![], next: None });
    let first = page(&b, None, None, 2).await;
    assert_eq!(first.next, Some(UserCursor(users[1].number)));
}

pub async fn a_walk_over_users_survives_inserts_and_deletes(b: Backend) {
    let mut stay = BTreeSet::new();
    let mut go = Vec::new();
    for n in 0..30 {
        let user = b.user(&format!("user{n}")).await;
        if n % 5 == 4 { go.push(user) } else { _ = stay.insert(user.number) }
    }
    let mut seen = Vec::new();
    let mut after = None;
    for round in 0.. {
        let Page { items, next } = page(&b, None, after, 4).await;
        seen.extend(items.iter().map(|user| user.number));
        let Some(next) = next else { break };
        after = Some(next);
        // One comes; one goes, be it the one that the cursor names or one that is still ahead.
        b.user(&format!("late{round}")).await;
        let UserCursor(at_cursor) = next;
        if let Some(index) = go.iter().position(|user| user.number == at_cursor).or(go.len().checked_sub(1)) {
            b.users.delete(go.remove(index).id, false, at(1)).await.unwrap().unwrap();
        }
        assert!(round < 100);
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "somebody twice: {seen:?}");
    assert!(stay.is_subset(&seen.iter().copied().collect()), "somebody missed: {seen:?}");
}

pub async fn a_prefix_finds_username_and_display_name(b: Backend) {
    let ana = b.users.insert(NewUser { display_name: Some(display_name("Zoe")), ..new_user("AnaMaria") }).await.unwrap();
    let luis = b.users.insert(NewUser { display_name: Some(display_name("ana Ruiz")), ..new_user("luis") }).await.unwrap();
    let both = b.users.insert(NewUser { display_name: Some(display_name("ANA")), ..new_user("ana") }).await.unwrap();
    // An address is nothing to be found by, nor is the middle of a name.
    b.users.insert(full_user("xana", "ana@example.org")).await.unwrap();
    b.users.insert(NewUser { display_name: Some(display_name("Doña Ana")), ..new_user("eva") }).await.unwrap();
    assert_eq!(found(&b, "ana").await, [ana.id, luis.id, both.id]);
    assert_eq!(found(&b, "ANA").await, [ana.id, luis.id, both.id]);
    assert_eq!(found(&b, "anaM").await, [ana.id]);
    assert_eq!(found(&b, "ana r").await, [luis.id]);
    assert_eq!(found(&b, "zoe").await, [ana.id]);
    assert!(found(&b, "zoex").await.is_empty());
    assert!(found(&b, "ruiz").await.is_empty());
}

pub async fn a_prefix_is_taken_literally(b: Backend) {
    let names = ["100% sure", "100 sure", "%any", "_any", "*any", "\\any", "'any", "[a]ny", "^any", "-any", "😀any", "\u{E000}any"];
    let mut users = Vec::new();
    for (n, name) in names.into_iter().enumerate() {
        users.push(b.users.insert(displayed(name, n)).await.unwrap().id);
    }
    for (n, name) in names.into_iter().enumerate().skip(2) {
        let first: String = name.chars().take(1).collect();
        assert_eq!(found(&b, &first).await, [users[n]], "{first}");
        assert_eq!(found(&b, name).await, [users[n]], "{name}");
    }
    assert_eq!(found(&b, "100%").await, [users[0]]);
    assert_eq!(found(&b, "100").await, [users[0], users[1]]);
    let under = b.user("a_b.c-d").await.id;
    b.user("axb.c-d").await;
    assert_eq!(found(&b, "a_").await, [under]);
    assert_eq!(found(&b, "A_B.C-").await, [under]);
}

pub async fn a_prefix_is_compared_without_regard_to_case(b: Backend) {
    let elodie = b.users.insert(displayed("ÉLODIE", 1)).await.unwrap().id;
    let ivan = b.user("Иван").await.id;
    let street = b.users.insert(displayed("Straße 7", 2)).await.unwrap().id;
    for (prefix, who) in [
        ("élo", elodie),
        ("É", elodie),
        ("E\u{301}l", elodie),
        ("ив", ivan),
        ("ИВАН", ivan),
        ("strass", street),
        ("STRAẞE 7", street),
    ] {
        assert_eq!(found(&b, prefix).await, [who], "{prefix}");
    }
    assert!(found(&b, "elo").await.is_empty());
}

pub async fn a_search_is_walked_in_pages(b: Backend) {
    let mut matching = Vec::new();
    for n in 0..9 {
        let new = match n % 3 {
            0 => new_user(&format!("Ana{n}")),
            1 => NewUser { display_name: Some(display_name(&format!("ANA {n}"))), ..new_user(&format!("by-display{n}")) },
            _ => new_user(&format!("luis{n}")),
        };
        let user = b.users.insert(new).await.unwrap();
        if n % 3 != 2 {
            matching.push(user);
        }
    }
    let gone = matching.remove(1);
    b.users.delete(gone.id, false, at(1)).await.unwrap();
    for (size, pages) in [(1, 5), (2, 3), (4, 2), (5, 1), (6, 1)] {
        let walked = walk(async |after| page(&b, Some("ana"), after, size).await).await;
        assert_eq!(walked.len(), pages, "pages of {size}");
        assert_eq!(ids(&walked.concat()), ids(&matching), "pages of {size}");
    }
}

pub async fn an_update_changes_what_it_names_and_nothing_else(b: Backend) {
    type Apply = fn(&mut User);
    let before = b.users.insert(full_user("ana", "ana@example.org")).await.unwrap();
    let other = b.user("luis").await;
    let profile = Profile::new([("a".to_owned(), ProfileValue::Integer(1))]).unwrap();
    let mut expected = before.clone();
    let changes: [(UserChanges, Apply); 5] = [
        (UserChanges { username: Some(Some(username("Anita"))), ..UserChanges::default() }, |user| {
            user.username = Some(username("Anita"));
        }),
        (UserChanges { email: Some(Some(email("Anita@example.org"))), ..UserChanges::default() }, |user| {
            user.email = Some(email("Anita@example.org"));
        }),
        (UserChanges { display_name: Some(Some(display_name("Ana L."))), ..UserChanges::default() }, |user| {
            user.display_name = Some(display_name("Ana L."));
        }),
        (UserChanges { profile: Some(profile), ..UserChanges::default() }, |user| {
            user.profile = Profile::new([("a".to_owned(), ProfileValue::Integer(1))]).unwrap();
        }),
        (UserChanges { role: Some(Role::Admin), ..UserChanges::default() }, |user| user.role = Role::Admin),
    ];
    for (n, (change, apply)) in (1..).zip(changes) {
        apply(&mut expected);
        expected.updated_at = at(n);
        assert_eq!(b.users.update(before.id, change, at(n)).await.unwrap(), expected);
        assert_eq!(b.find_user(before.id).await, expected);
    }
    assert_eq!(b.find_user(other.id).await, other);
    // The names are found, and searched, under their new forms only.
    for (text, there) in [("anita", true), ("anita@example.org", true), ("ana", false), ("ana@example.org", false)] {
        assert_eq!(b.users.find_credentials(&login(text)).await.unwrap().is_some(), there, "{text}");
    }
    assert_eq!(found(&b, "ANA L").await, [before.id]);
    assert_eq!(found(&b, "anit").await, [before.id]);
    // And are free for others.
    b.users.insert(full_user("ANA", "ana@example.org")).await.unwrap();
}

pub async fn an_update_of_everything_at_once(b: Backend) {
    let before = b.user("ana").await;
    let changes = UserChanges {
        username: Some(None),
        email: Some(Some(email("ana@example.org"))),
        display_name: Some(Some(display_name("Ana"))),
        profile: Some(Profile::new([("x".to_owned(), ProfileValue::Boolean(true))]).unwrap()),
        role: Some(Role::Admin),
    };
    let after = b.users.update(before.id, changes.clone(), at(5)).await.unwrap();
    let expected = User {
        username: None,
        email: changes.email.unwrap(),
        display_name: changes.display_name.unwrap(),
        profile: changes.profile.unwrap(),
        role: Role::Admin,
        updated_at: at(5),
        ..before
    };
    assert_eq!(after, expected);
    assert_eq!(b.find_user(before.id).await, expected);
}

pub async fn names_can_be_removed(b: Backend) {
    let ana = NewUser { display_name: Some(display_name("Ana")), ..full_user("ana", "ana@example.org") };
    let ana = b.users.insert(ana).await.unwrap();
    let remove_display = UserChanges { display_name: Some(None), ..UserChanges::default() };
    assert_eq!(b.users.update(ana.id, remove_display, at(1)).await.unwrap().display_name, None);
    let remove_username = UserChanges { username: Some(None), ..UserChanges::default() };
    let after = b.users.update(ana.id, remove_username, at(2)).await.unwrap();
    assert_eq!((after.username, after.email), (None, Some(email("ana@example.org"))));
    assert!(b.users.find_credentials(&login("ana")).await.unwrap().is_none());
    assert!(found(&b, "ana").await.is_empty());
    b.user("ana").await;
    let swap = UserChanges { username: Some(Some(username("ana2"))), email: Some(None), ..UserChanges::default() };
    let after = b.users.update(ana.id, swap, at(3)).await.unwrap();
    assert_eq!((after.username, after.email), (Some(username("ana2")), None));
    b.users.insert(full_user("luis", "ANA@example.org")).await.unwrap();
}

pub async fn the_last_name_to_log_in_with_stays(b: Backend) {
    let ana = b.user("ana").await;
    let luis = b.users.insert(full_user("luis", "luis@example.org")).await.unwrap();
    let new = NewUser { username: None, email: Some(email("eva@example.org")), ..new_user("unused") };
    let eva = b.users.insert(new).await.unwrap();
    let without = |username: bool, email: bool| UserChanges {
        username: username.then_some(None),
        email: email.then_some(None),
        display_name: Some(Some(display_name("changed"))),
        ..UserChanges::default()
    };
    for (user, changes) in [
        (&ana, without(true, false)),
        (&ana, without(true, true)),
        (&eva, without(false, true)),
        (&luis, without(true, true)),
    ] {
        assert_matches!(b.users.update(user.id, changes, at(1)).await, Err(UpdateUserError::NoLogin));
        assert_eq!(&b.find_user(user.id).await, user, "nothing of it happened");
    }
    // To remove what is not there is no harm.
    assert_eq!(b.users.update(ana.id, without(false, true), at(1)).await.unwrap().username, ana.username);
}

pub async fn a_taken_name_cannot_be_changed_to(b: Backend) {
    b.users.insert(full_user("ana", "ana@example.org")).await.unwrap();
    let luis = b.users.insert(full_user("luis", "luis@example.org")).await.unwrap();
    let taken_name = UserChanges {
        username: Some(Some(username("ANA"))),
        email: Some(Some(email("new@example.org"))),
        role: Some(Role::Admin),
        ..UserChanges::default()
    };
    let taken_address = UserChanges {
        username: Some(Some(username("new"))),
        email: Some(Some(email("ANA@example.org"))),
        display_name: Some(Some(display_name("New"))),
        ..UserChanges::default()
    };
    assert_matches!(b.users.update(luis.id, taken_name, at(1)).await, Err(UpdateUserError::UsernameTaken));
    assert_matches!(b.users.update(luis.id, taken_address, at(1)).await, Err(UpdateUserError::EmailTaken));
    assert_eq!(b.find_user(luis.id).await, luis, "all or nothing");
    b.users.insert(full_user("new", "new@example.org")).await.unwrap();
}

pub async fn ones_own_name_can_be_written_otherwise(b: Backend) {
    let ana = b.users.insert(full_user("ana", "ana@example.org")).await.unwrap();
    let changes = UserChanges {
        username: Some(Some(username("ANA"))),
        email: Some(Some(email("Ana@Example.org"))),
        ..UserChanges::default()
    };
    let after = b.users.update(ana.id, changes, at(1)).await.unwrap();
    assert_eq!((after.username, after.email), (Some(username("ANA")), Some(email("Ana@Example.org"))));
}

pub async fn nobody_cannot_be_updated(b: Backend) {
    let ana = b.user("ana").await;
    b.users.delete(ana.id, false, at(1)).await.unwrap();
    let deleted = b.find_user(ana.id).await;
    let changes = UserChanges { username: Some(Some(username("back"))), ..UserChanges::default() };
    for id in [ana.id, user_id()] {
        assert_matches!(b.users.update(id, changes.clone(), at(2)).await, Err(UpdateUserError::NotFound));
        assert_matches!(b.users.update(id, UserChanges::default(), at(2)).await, Err(UpdateUserError::NotFound));
    }
    assert_eq!(b.find_user(ana.id).await, deleted);
    b.user("back").await;
}

pub async fn a_new_password_ends_the_other_sessions(b: Backend) {
    let ana = b.person("ana").await;
    let luis = b.person("luis").await;
    let other = b.session(ana.id).await;
    let alive = async |claim| b.sessions.find_caller(claim, at(1)).await.unwrap().is_some();
    assert!(b.users.set_password(ana.id, &password("new"), Some(ana.session.session_id), at(1)).await.unwrap());
    assert_eq!(b.users.find_password(ana.id).await.unwrap(), Some(password("new")));
    assert_eq!(b.users.find_password(luis.id).await.unwrap(), Some(password("luis")));
    assert_eq!((alive(ana.session).await, alive(other).await, alive(luis.session).await), (true, false, true));
    // Somebody else's session is nothing to keep.
    assert!(b.users.set_password(ana.id, &password("newer"), Some(luis.session.session_id), at(2)).await.unwrap());
    assert_eq!((alive(ana.session).await, alive(luis.session).await), (false, true));
    assert_eq!(b.find_user(ana.id).await.updated_at, at(2));
    let again = b.session(ana.id).await;
    assert!(b.users.set_password(ana.id, &password("newest"), None, at(3)).await.unwrap());
    assert!(!alive(again).await);
    assert_eq!(b.users.find_credentials(&login("ana")).await.unwrap().unwrap().password, password("newest"));
}

pub async fn nobody_gets_a_new_password(b: Backend) {
    let ana = b.user("ana").await;
    b.users.delete(ana.id, false, at(1)).await.unwrap();
    for id in [ana.id, user_id()] {
        assert!(!b.users.set_password(id, &password("new"), None, at(2)).await.unwrap());
        assert!(b.users.find_password(id).await.unwrap().is_none());
    }
}
