use crate::Backend;
use crate::fixture::*;
use futures_util::future::join_all;
use tertulia_domain::repository::{DueMail, NewAccountToken, NewUser, UserChanges, VerifyEmailError};
use tertulia_domain::{Email, LoginName, User};

/// A token that expires at 100, issued at zero.
fn token(secret: u8) -> NewAccountToken {
    NewAccountToken { hash: [secret; 32], expires_at: at(100), mail: mail(&format!("token {secret}")), at: at(0) }
}

/// With that address.
async fn addressed(b: &Backend, name: &str, address: &str) -> Person {
    let user = b.users.insert(NewUser { email: Some(email(address)), ..new_user(name) }).await.unwrap();
    Person { id: user.id, session: b.session(user.id).await }
}

async fn mails(b: &Backend) -> Vec<DueMail> {
    b.outbox.take(at(LIFE), at(LIFE + 1), 100).await.unwrap()
}

/// Whom the mails went to, and of what subject.
async fn mailed(b: &Backend) -> Vec<(String, String)> {
    mails(b).await.into_iter().map(|due| (due.mail.to.as_str().to_owned(), due.mail.subject)).collect()
}

async fn is_resettable(b: &Backend, secret: u8) -> bool {
    b.account_tokens.find_reset([secret; 32], at(1)).await.unwrap().is_some()
}

async fn change_email(b: &Backend, person: Person, address: Option<Email>) -> User {
    let changes = UserChanges { email: Some(address), ..UserChanges::default() };
    b.users.update(person.id, changes, at(1)).await.unwrap()
}

pub async fn a_reset_goes_to_the_stored_address(b: Backend) {
    let ana = addressed(&b, "ana", "Ana@Example.org").await;
    let new = token(1);
    b.account_tokens.issue_reset(&email("aNA@exAMPLE.ORG").key(), new.clone()).await.unwrap();
    assert_eq!(b.account_tokens.find_reset([1; 32], at(1)).await.unwrap(), Some(ana.id));
    assert_eq!(b.account_tokens.find_reset([2; 32], at(1)).await.unwrap(), None);
    let mail = mails(&b).await.remove(0);
    assert_eq!((mail.mail.id, mail.mail.to), (new.mail.id, email("Ana@Example.org")));
    assert_eq!((mail.mail.subject, mail.mail.text), (new.mail.subject, new.mail.text));
    assert_eq!((mail.created_at, mail.attempts), (at(0), 1));
}

pub async fn nobody_is_sent_nothing(b: Backend) {
    let ana = addressed(&b, "ana", "ana@example.org").await;
    b.account_tokens.issue_reset("luis@example.org", token(1)).await.unwrap();
    // A username is no address.
    b.account_tokens.issue_reset("ana", token(2)).await.unwrap();
    b.users.delete(ana.id, false, at(1)).await.unwrap();
    b.account_tokens.issue_reset("ana@example.org", token(3)).await.unwrap();
    assert_eq!(mails(&b).await, []);
    for secret in 1..=3 {
        assert!(!is_resettable(&b, secret).await);
        assert_eq!(b.account_tokens.redeem_reset([secret; 32], &password("x"), at(1)).await.unwrap(), None);
    }
}

pub async fn the_newest_token_voids_the_older_ones(b: Backend) {
    addressed(&b, "ana", "ana@example.org").await;
    addressed(&b, "luis", "luis@example.org").await;
    for (address, secret) in [("ana@example.org", 1), ("luis@example.org", 2), ("ana@example.org", 3)] {
        b.account_tokens.issue_reset(address, token(secret)).await.unwrap();
    }
    assert!(!is_resettable(&b, 1).await && is_resettable(&b, 2).await && is_resettable(&b, 3).await);
    assert_eq!(b.account_tokens.redeem_reset([1; 32], &password("x"), at(1)).await.unwrap(), None);
    assert!(is_resettable(&b, 3).await);
}

/// Whoever reads the former mailbox, or found an old mail, has no say any more.
pub async fn a_change_of_address_or_password_voids_a_reset(b: Backend) {
    for (secret, name, change) in [
        (1, "ana", "address"),
        (2, "luis", "verified address"),
        (3, "eva", "password"),
        (4, "leo", "nothing"),
    ] {
        let person = addressed(&b, name, &format!("{name}@example.org")).await;
        b.account_tokens.issue_reset(&format!("{name}@example.org"), token(secret)).await.unwrap();
        assert!(is_resettable(&b, secret).await);
        let new = email(&format!("{name}@example.net"));
        match change {
            "address" => drop(change_email(&b, person, Some(new)).await),
            "verified address" => {
                let verification = token(secret + 100);
                assert!(b.account_tokens.issue_verification(person.id, &new, verification.clone()).await.unwrap());
                b.account_tokens.redeem_verification(verification.hash, at(1)).await.unwrap();
            }
            "password" => assert!(b.users.set_password(person.id, &password("new"), None, at(1)).await.unwrap()),
            _ => {
                // The same address in another spelling.
                change_email(&b, person, Some(email(&format!("{name}@EXAMPLE.org")))).await;
            }
        }
        assert_eq!(is_resettable(&b, secret).await, change == "nothing", "{change}");
        let redeemed = b.account_tokens.redeem_reset([secret; 32], &password("x"), at(1)).await.unwrap();
        assert_eq!(redeemed.is_some(), change == "nothing", "{change}");
    }
}

pub async fn a_reset_expires_at_the_moment_it_says(b: Backend) {
    let ana = addressed(&b, "ana", "ana@example.org").await;
    b.account_tokens.issue_reset("ana@example.org", token(1)).await.unwrap();
    assert_eq!(b.account_tokens.find_reset([1; 32], at(99)).await.unwrap(), Some(ana.id));
    assert_eq!(b.account_tokens.find_reset([1; 32], at(100)).await.unwrap(), None);
    assert_eq!(b.account_tokens.redeem_reset([1; 32], &password("late"), at(100)).await.unwrap(), None);
    assert_eq!(b.users.find_password(ana.id).await.unwrap(), Some(password("ana")));
    assert!(b.sessions.find_caller(ana.session, at(1)).await.unwrap().is_some());
    assert!(b.account_tokens.redeem_reset([1; 32], &password("in time"), at(99)).await.unwrap().is_some());
}

pub async fn a_reset_changes_the_password_and_ends_everything(b: Backend) {
    let ana = addressed(&b, "ana", "ana@example.org").await;
    let luis = addressed(&b, "luis", "luis@example.org").await;
    b.session(ana.id).await;
    for (person, hash) in [(ana, [1; 32]), (luis, [2; 32])] {
        assert!(b.api_keys.insert(new_key(person, at(0)), hash, 10).await.unwrap());
    }
    assert!(!b.find_user(ana.id).await.email_verified);
    b.account_tokens.issue_reset("ana@example.org", token(1)).await.unwrap();
    let redeemed = b.account_tokens.redeem_reset([1; 32], &password("new"), at(5)).await.unwrap();
    assert_eq!(redeemed, Some(ana.id));
    let login = LoginName::parse("ana@example.org").unwrap();
    let credentials = b.users.find_credentials(&login).await.unwrap().unwrap();
    assert_eq!(credentials.password, password("new"));
    assert!(credentials.user.email_verified, "somebody reads that mailbox");
    assert_eq!(b.sessions.list(ana.id, at(6)).await.unwrap(), []);
    assert_eq!(b.sessions.find_caller(ana.session, at(6)).await.unwrap(), None);
    assert_eq!(b.api_keys.find([1; 32], at(6)).await.unwrap(), None);
    assert_eq!(b.api_keys.list(ana.id).await.unwrap(), []);
    // Others are left alone.
    assert!(b.sessions.find_caller(luis.session, at(6)).await.unwrap().is_some());
    assert!(b.api_keys.find([2; 32], at(6)).await.unwrap().is_some());
    assert!(!b.find_user(luis.id).await.email_verified);
    // Once is all.
    assert!(!is_resettable(&b, 1).await);
    assert_eq!(b.account_tokens.redeem_reset([1; 32], &password("again"), at(7)).await.unwrap(), None);
    assert_eq!(b.users.find_password(ana.id).await.unwrap(), Some(password("new")));
}

pub async fn of_many_uses_of_a_reset_at_once_one_succeeds(b: Backend) {
    for round in 0..3 {
        let name = format!("ana{round}");
        let ana = addressed(&b, &name, &format!("{name}@example.org")).await;
        b.account_tokens.issue_reset(&format!("{name}@example.org"), token(round)).await.unwrap();
        let passwords: Vec<_> = (0..8).map(|n| password(&format!("new{n}"))).collect();
        let uses = passwords.iter().map(|password| b.account_tokens.redeem_reset([round; 32], password, at(5)));
        let outcomes: Vec<_> = join_all(uses).await.into_iter().map(Result::unwrap).collect();
        let winners: Vec<_> = (0..8).filter(|n| outcomes[*n] == Some(ana.id)).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(outcomes.iter().flatten().count(), 1);
        assert_eq!(b.users.find_password(ana.id).await.unwrap().as_ref(), Some(&passwords[winners[0]]));
    }
}

pub async fn a_verified_address_becomes_the_users(b: Backend) {
    let ana = addressed(&b, "ana", "ana@example.org").await;
    let wanted = email("Ana@Other.example");
    assert!(b.account_tokens.issue_verification(ana.id, &wanted, token(1)).await.unwrap());
    assert_eq!(mailed(&b).await, [("Ana@Other.example".to_owned(), "token 1".to_owned())]);
    // Until then everything is as it was.
    assert_eq!(b.find_user(ana.id).await.email, Some(email("ana@example.org")));
    let user = b.account_tokens.redeem_verification([1; 32], at(5)).await.unwrap();
    assert_eq!((user.email.as_ref(), user.email_verified), (Some(&wanted), true));
    assert_eq!(b.find_user(ana.id).await, user);
    let login = LoginName::parse("ana@other.example").unwrap();
    assert_eq!(b.users.find_credentials(&login).await.unwrap().unwrap().user, user);
    // The old address is anybody's, the session goes on, and the token is used up.
    addressed(&b, "luis", "ana@example.org").await;
    assert!(b.sessions.find_caller(ana.session, at(6)).await.unwrap().is_some());
    assert_matches!(b.account_tokens.redeem_verification([1; 32], at(6)).await, Err(VerifyEmailError::NotFound));
}

pub async fn ones_own_address_is_verified(b: Backend) {
    let ana = addressed(&b, "ana", "ana@example.org").await;
    assert!(b.account_tokens.issue_verification(ana.id, &email("ana@example.org"), token(1)).await.unwrap());
    let user = b.account_tokens.redeem_verification([1; 32], at(5)).await.unwrap();
    assert_eq!((user.email, user.email_verified), (Some(email("ana@example.org")), true));
}

pub async fn a_user_without_an_address_gets_one(b: Backend) {
    let ana = b.person("ana").await;
    assert!(b.account_tokens.issue_verification(ana.id, &email("ana@example.org"), token(1)).await.unwrap());
    let user = b.account_tokens.redeem_verification([1; 32], at(5)).await.unwrap();
    assert_eq!((user.email, user.email_verified), (Some(email("ana@example.org")), true));
}

pub async fn verifications_expire_and_are_replaced(b: Backend) {
    let ana = addressed(&b, "ana", "ana@example.org").await;
    let issue = async |secret, address| {
        b.account_tokens.issue_verification(ana.id, &email(address), token(secret)).await.unwrap()
    };
    let redeem = async |secret, now| b.account_tokens.redeem_verification([secret; 32], at(now)).await;
    assert!(issue(1, "one@example.org").await && issue(2, "two@example.org").await);
    assert_matches!(redeem(1, 1).await, Err(VerifyEmailError::NotFound));
    assert_matches!(redeem(2, 100).await, Err(VerifyEmailError::NotFound));
    assert_eq!(b.find_user(ana.id).await.email, Some(email("ana@example.org")));
    assert_eq!(redeem(2, 99).await.unwrap().email, Some(email("two@example.org")));
    assert_matches!(redeem(9, 1).await, Err(VerifyEmailError::NotFound));
    assert!(!b.account_tokens.issue_verification(user_id(), &email("x@example.org"), token(3)).await.unwrap());
    b.users.delete(ana.id, false, at(3)).await.unwrap();
    assert!(!issue(4, "four@example.org").await);
    let subjects: Vec<_> = mailed(&b).await.into_iter().map(|(_, subject)| subject).collect();
    assert!(!subjects.contains(&"token 3".to_owned()) && !subjects.contains(&"token 4".to_owned()));
}

pub async fn an_address_that_was_taken_meanwhile_stays_with_its_user(b: Backend) {
    let ana = addressed(&b, "ana", "ana@example.org").await;
    assert!(b.account_tokens.issue_verification(ana.id, &email("wanted@example.org"), token(1)).await.unwrap());
    let luis = addressed(&b, "luis", "WANTED@example.org").await;
    let before = b.find_user(ana.id).await;
    assert_matches!(b.account_tokens.redeem_verification([1; 32], at(5)).await, Err(VerifyEmailError::EmailTaken));
    assert_eq!(b.find_user(ana.id).await, before);
    assert_eq!(b.find_user(luis.id).await.email, Some(email("WANTED@example.org")));
}

pub async fn of_many_who_verify_one_address_at_once_one_gets_it(b: Backend) {
    let crowd = b.crowd(8).await;
    for (secret, person) in (1..).zip(&crowd) {
        let wanted = email("wanted@example.org");
        assert!(b.account_tokens.issue_verification(person.id, &wanted, token(secret)).await.unwrap());
    }
    let outcomes = join_all((1..9).map(|secret| b.account_tokens.redeem_verification([secret; 32], at(5)))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_matches!(error, VerifyEmailError::EmailTaken);
    }
}

pub async fn a_new_user_is_mailed_a_verification(b: Backend) {
    let new = NewUser {
        email: Some(email("Ana@example.org")),
        mail: Some(mail("welcome")),
        verification: Some(([7; 32], at(100))),
        ..new_user("ana")
    };
    let user = b.users.insert(new.clone()).await.unwrap();
    assert!(!user.email_verified);
    assert_eq!(mailed(&b).await, [("Ana@example.org".to_owned(), "welcome".to_owned())]);
    assert_matches!(b.account_tokens.redeem_verification([7; 32], at(100)).await, Err(VerifyEmailError::NotFound));
    let verified = b.account_tokens.redeem_verification([7; 32], at(99)).await.unwrap();
    assert_eq!((verified.id, verified.email, verified.email_verified), (new.id, new.email, true));
}

pub async fn the_two_kinds_of_token_are_not_mixed_up(b: Backend) {
    let ana = addressed(&b, "ana", "ana@example.org").await;
    b.account_tokens.issue_reset("ana@example.org", token(1)).await.unwrap();
    assert!(b.account_tokens.issue_verification(ana.id, &email("ana@example.org"), token(2)).await.unwrap());
    assert_matches!(b.account_tokens.redeem_verification([1; 32], at(1)).await, Err(VerifyEmailError::NotFound));
    assert!(!is_resettable(&b, 2).await);
    assert_eq!(b.account_tokens.redeem_reset([2; 32], &password("x"), at(1)).await.unwrap(), None);
    // Neither voids the other.
    assert!(is_resettable(&b, 1).await);
    assert!(b.account_tokens.redeem_verification([2; 32], at(1)).await.is_ok());
}

pub async fn another_address_is_an_unverified_one(b: Backend) {
    let ana = addressed(&b, "ana", "ana@example.org").await;
    let verify = async |secret, address: &str| {
        assert!(b.account_tokens.issue_verification(ana.id, &email(address), token(secret)).await.unwrap());
        assert!(b.account_tokens.redeem_verification([secret; 32], at(1)).await.unwrap().email_verified);
    };
    verify(1, "ana@example.org").await;
    let changes = UserChanges { display_name: Some(Some(display_name("Ana"))), ..UserChanges::default() };
    assert!(b.users.update(ana.id, changes, at(2)).await.unwrap().email_verified);
    assert!(change_email(&b, ana, Some(email("ANA@example.org"))).await.email_verified, "written otherwise");
    let user = change_email(&b, ana, Some(email("other@example.org"))).await;
    assert!(!user.email_verified);
    assert_eq!(b.find_user(ana.id).await, user);
    verify(2, "other@example.org").await;
    assert!(!change_email(&b, ana, None).await.email_verified);
}

/// Whether the token itself outlives the change is not promised.
pub async fn a_token_mailed_elsewhere_verifies_no_address(b: Backend) {
    let ana = addressed(&b, "ana", "ana@example.org").await;
    b.account_tokens.issue_reset("ana@example.org", token(1)).await.unwrap();
    change_email(&b, ana, Some(email("other@example.org"))).await;
    b.account_tokens.redeem_reset([1; 32], &password("new"), at(5)).await.unwrap();
    let user = b.find_user(ana.id).await;
    assert_eq!((user.email, user.email_verified), (Some(email("other@example.org")), false));
}

pub async fn a_deleted_users_tokens_are_gone(b: Backend) {
    let ana = addressed(&b, "ana", "ana@example.org").await;
    b.account_tokens.issue_reset("ana@example.org", token(1)).await.unwrap();
    assert!(b.account_tokens.issue_verification(ana.id, &email("new@example.org"), token(2)).await.unwrap());
    b.users.delete(ana.id, false, at(1)).await.unwrap();
    assert!(!is_resettable(&b, 1).await);
    assert_eq!(b.account_tokens.redeem_reset([1; 32], &password("x"), at(2)).await.unwrap(), None);
    assert_matches!(b.account_tokens.redeem_verification([2; 32], at(2)).await, Err(VerifyEmailError::NotFound));
    assert!(b.users.find_password(ana.id).await.unwrap().is_none());
    let user = b.find_user(ana.id).await;
    assert_eq!((user.email, user.email_verified), (None, false));
}
