//! Tickets that open one connection each.

use crate::Backend;
use crate::fixture::*;
use futures_util::future::join_all;

pub async fn a_ticket_is_good_once(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    b.events.insert_ticket([1; 32], ana.session, at(100)).await.unwrap();
    b.events.insert_ticket([2; 32], luis.session, at(100)).await.unwrap();
    assert_eq!(b.events.redeem_ticket([3; 32], at(1)).await.unwrap(), None);
    assert_eq!(b.events.redeem_ticket([1; 32], at(1)).await.unwrap(), Some(ana.session));
    assert_eq!(b.events.redeem_ticket([1; 32], at(1)).await.unwrap(), None);
    assert_eq!(b.events.redeem_ticket([2; 32], at(1)).await.unwrap(), Some(luis.session));
}

pub async fn a_ticket_expires_at_the_moment_it_says(b: Backend) {
    let ana = b.person("ana").await;
    for (hash, now, good) in [([1; 32], 99, true), ([2; 32], 100, false), ([3; 32], 101, false)] {
        b.events.insert_ticket(hash, ana.session, at(100)).await.unwrap();
        assert_eq!(b.events.redeem_ticket(hash, at(now)).await.unwrap(), good.then_some(ana.session));
    }
}

pub async fn of_many_who_show_one_ticket_one_gets_in(b: Backend) {
    let ana = b.person("ana").await;
    b.events.insert_ticket([1; 32], ana.session, at(100)).await.unwrap();
    let redeemed = join_all((0..16).map(|_| b.events.redeem_ticket([1; 32], at(1)))).await;
    let redeemed: Vec<_> = redeemed.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(redeemed, [ana.session]);
}

pub async fn old_tickets_are_purged(b: Backend) {
    let ana = b.person("ana").await;
    b.events.insert_ticket([1; 32], ana.session, at(99)).await.unwrap();
    b.events.insert_ticket([2; 32], ana.session, at(100)).await.unwrap();
    assert_eq!(b.events.purge(at(100)).await.unwrap(), 0, "they are no events");
    // As if it were still good.
    assert_eq!(b.events.redeem_ticket([1; 32], at(0)).await.unwrap(), None);
    assert_eq!(b.events.redeem_ticket([2; 32], at(0)).await.unwrap(), Some(ana.session));
}
