use crate::Backend;
use crate::fixture::*;
use futures_util::future::{join, join_all};
use std::collections::BTreeSet;
use tertulia_domain::repository::{AppendError, NewFile, StoredFile};
use tertulia_domain::{
    Digest, Dimensions, File, FileId, FileName, FileStanding, MediaType, ObjectKey, PublicKey, Timestamp,
};

const NOBODY: FileStanding = FileStanding { owner: false, shared: false, service_admin: false };
const OWNER: FileStanding = FileStanding { owner: true, ..NOBODY };
const SHARED: FileStanding = FileStanding { shared: true, ..NOBODY };

fn public_key(letter: &str) -> PublicKey {
    PublicKey::new(&letter.repeat(43)).unwrap()
}

fn set<const N: usize>(objects: [&ObjectKey; N]) -> BTreeSet<ObjectKey> {
    objects.into_iter().cloned().collect()
}

async fn stands(b: &Backend, file: FileId, viewer: Person) -> FileStanding {
    b.standing(file, viewer).await.expect("the file is there").1
}

pub async fn a_stored_file_is_what_was_given(b: Backend) {
    let ana = b.person("ana").await;
    let files = [
        NewFile {
            name: FileName::sanitise("Año 'x' \"y\" % _ 😀.jpeg"),
            media_type: MediaType::new("image/jpeg").unwrap(),
            dimensions: Some(Dimensions { width: 1, height: u32::MAX >> 1 }),
            public_key: Some(public_key("A")),
            size: 5 << 32,
            at: at(7),
            ..new_file(ana, 1)
        },
        NewFile { name: FileName::sanitise(&"x".repeat(255)), digest: Digest([255; 32]), size: 1, ..new_file(ana, 2) },
    ];
    for new in files {
        let file = b.upload(new.clone()).await;
        let expected = File {
            id: new.id,
            name: new.name,
            media_type: new.media_type,
            size: new.size,
            dimensions: new.dimensions,
            public_key: new.public_key,
        };
        assert_eq!(file, expected);
        let stored = StoredFile { file, digest: new.digest, object: new.object, thumbnail: None };
        assert_eq!(b.standing(new.id, ana).await, Some((stored, OWNER)));
    }
    assert_eq!(b.standing(file_id(), ana).await, None);
}

pub async fn an_announced_object_is_due_until_a_file_adopts_it(b: Backend) {
    let ana = b.person("ana").await;
    let [adopted, abandoned] = [object(), object()];
    b.files.announce(&adopted, at(100)).await.unwrap();
    b.files.announce(&abandoned, at(200)).await.unwrap();
    assert_eq!(b.due(at(99)).await, BTreeSet::new());
    assert_eq!(b.due(at(100)).await, set([&adopted]));
    assert_eq!(b.due(at(200)).await, set([&adopted, &abandoned]));
    let new = NewFile { object: adopted.clone(), ..new_file(ana, 1) };
    assert!(b.files.insert(new).await.unwrap().is_some());
    assert_eq!(b.due(at(LIFE)).await, set([&abandoned]));
    // To look changes nothing.
    assert_eq!(b.due(at(LIFE)).await, set([&abandoned]));
}

/// Somebody may be deleting it at that moment.
pub async fn what_is_due_is_not_adopted(b: Backend) {
    let ana = b.person("ana").await;
    for (bytes, now, adopted) in [(1, 99, true), (2, 100, false), (3, 101, false)] {
        let new = NewFile { at: at(now), ..new_file(ana, bytes) };
        b.files.announce(&new.object, at(100)).await.unwrap();
        assert_eq!(b.files.insert(new.clone()).await.unwrap().is_some(), adopted);
        assert_eq!((b.is_stored(new.id).await, b.due(at(101)).await.contains(&new.object)), (adopted, !adopted));
    }
}

pub async fn a_file_needs_its_announcement_and_its_owner(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let unannounced = new_file(ana, 1);
    assert_eq!(b.files.insert(unannounced.clone()).await.unwrap(), None);
    let forgotten = new_file(ana, 2);
    b.files.announce(&forgotten.object, at(DAY)).await.unwrap();
    b.files.forget_objects(&[forgotten.object.clone()]).await.unwrap();
    assert_eq!(b.files.insert(forgotten.clone()).await.unwrap(), None);
    // Not even bytes that are there already.
    b.file(ana, 3).await;
    let equal = new_file(ana, 3);
    assert_eq!(b.files.insert(equal.clone()).await.unwrap(), None);
    b.users.delete(luis.id, false, at(1)).await.unwrap();
    let ownerless = new_file(luis, 4);
    let nobodys = NewFile { owner: user_id(), ..new_file(ana, 5) };
    for new in [&ownerless, &nobodys] {
        b.files.announce(&new.object, at(50)).await.unwrap();
        assert_eq!(b.files.insert(new.clone()).await.unwrap(), None);
    }
    for new in [&unannounced, &forgotten, &equal, &ownerless, &nobodys] {
        assert!(!b.is_stored(new.id).await);
    }
    // What was refused stays announced.
    assert_eq!(b.due(at(49)).await, BTreeSet::new());
    assert_eq!(b.due(at(50)).await, set([&ownerless.object, &nobodys.object]));
}

pub async fn equal_bytes_are_kept_once(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let first = new_file(ana, 1);
    b.upload(first.clone()).await;
    for (owner, name) in [(ana, "again.txt"), (luis, "mine.txt")] {
        let second = NewFile {
            name: FileName::sanitise(name),
            public_key: Some(PublicKey::new(&format!("{name:_<22}").replace('.', "-")).unwrap()),
            at: at(10),
            ..new_file(owner, 1)
        };
        let file = b.upload(second.clone()).await;
        assert_eq!((file.id, file.name.as_str(), &file.public_key), (second.id, name, &second.public_key));
        let (stored, standing) = b.standing(second.id, owner).await.unwrap();
        assert_eq!((stored.file, stored.object, standing), (file, first.object.clone(), OWNER));
        // The bytes that came second are of no use, at once.
        assert!(b.due(at(10)).await.contains(&second.object));
    }
    assert_eq!(b.standing(first.id, ana).await.unwrap().0.file.name, first.name);
    let due = b.due(at(LIFE)).await;
    assert!(due.len() == 2 && !due.contains(&first.object));
    // Other bytes are other bytes.
    let other = new_file(ana, 2);
    b.upload(other.clone()).await;
    assert_eq!(b.object_of(other.id).await, other.object);
}

pub async fn bytes_stay_until_their_last_file_is_gone(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let [first, second] = [b.file(ana, 1).await, b.file(luis, 1).await];
    let object = b.object_of(first).await;
    let wasted = b.due(at(LIFE)).await;
    assert!(!wasted.contains(&object));
    let sent = b.attach(chat, ana, &[first], at(1)).await.unwrap();
    let last = b.attach(chat, luis, &[second], at(2)).await.unwrap();
    assert!(b.messages.delete(chat, sent.id, at(3)).await.unwrap());
    assert!(!b.is_stored(first).await);
    assert_eq!(b.object_of(second).await, object);
    assert_eq!(b.due(at(LIFE)).await, wasted);
    assert!(b.messages.delete(chat, last.id, at(4)).await.unwrap());
    assert!(b.due(at(4)).await.contains(&object));
    // Equal bytes that come after that stand on their own object.
    let third = new_file(ana, 1);
    b.upload(third.clone()).await;
    assert_eq!(b.object_of(third.id).await, third.object);
    let due = b.due(at(LIFE)).await;
    assert!(due.contains(&object) && !due.contains(&third.object));
}

pub async fn objects_that_are_gone_are_forgotten(b: Backend) {
    let objects: Vec<_> = (0..5).map(|_| object()).collect();
    for object in &objects {
        b.files.announce(object, at(10)).await.unwrap();
    }
    let some = b.files.due_objects(at(10), 3).await.unwrap();
    assert_eq!(some.iter().collect::<BTreeSet<_>>().len(), 3);
    b.files.forget_objects(&some).await.unwrap();
    let rest = b.due(at(10)).await;
    assert_eq!(rest.len(), 2);
    assert!(some.iter().all(|object| objects.contains(object) && !rest.contains(object)));
    // Again, with one that nobody knows, and none at all.
    b.files.forget_objects(&some).await.unwrap();
    b.files.forget_objects(&[object()]).await.unwrap();
    b.files.forget_objects(&[]).await.unwrap();
    assert_eq!(b.due(at(10)).await, rest);
}

pub async fn who_stands_how_to_a_file_on_a_message(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let admin = b.service_admin("admin").await;
    let chat = b.group(ana, &[luis, eva]).await;
    let other = b.group(ana, &[leo]).await;
    let file = b.file(ana, 1).await;
    for person in [luis, eva, leo, admin] {
        assert_eq!(stands(&b, file, person).await, NOBODY);
    }
    assert_eq!(stands(&b, file, ana).await, OWNER);
    let sent = b.attach(chat, ana, &[file], at(1)).await.unwrap();
    assert_eq!(stands(&b, file, ana).await, FileStanding { shared: true, ..OWNER });
    for (person, standing) in [(luis, SHARED), (eva, SHARED), (leo, NOBODY), (admin, NOBODY)] {
        assert_eq!(stands(&b, file, person).await, standing);
    }
    assert_eq!(b.files.find(file, user_id()).await.unwrap().unwrap().1, NOBODY);
    // Who leaves is out, who comes is in.
    b.chats.remove_member(chat, eva.id, false, at(2)).await.unwrap();
    assert_eq!(stands(&b, file, eva).await, NOBODY);
    b.join(chat, eva, at(3)).await;
    assert_eq!(stands(&b, file, eva).await, SHARED);
    // In two chats, then only in the other one.
    b.attach(other, ana, &[file], at(4)).await.unwrap();
    assert_eq!(stands(&b, file, leo).await, SHARED);
    b.messages.delete(chat, sent.id, at(5)).await.unwrap();
    for (person, standing) in [(luis, NOBODY), (eva, NOBODY), (leo, SHARED)] {
        assert_eq!(stands(&b, file, person).await, standing);
    }
}

pub async fn who_stands_how_to_an_avatar(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[luis]).await;
    let [of_group, of_user] = [b.image(ana, 1).await, b.image(ana, 2).await];
    assert!(b.chats.set_avatar(chat, of_group, ana.id, at(1)).await.unwrap());
    assert_eq!(stands(&b, of_group, ana).await, FileStanding { shared: true, ..OWNER });
    assert_eq!(stands(&b, of_group, luis).await, SHARED);
    assert_eq!(stands(&b, of_group, eva).await, NOBODY);
    assert_eq!(stands(&b, of_user, luis).await, NOBODY);
    b.users.set_avatar(ana.id, Some(of_user), at(1)).await.unwrap().unwrap();
    for person in [luis, eva] {
        assert_eq!(stands(&b, of_user, person).await, SHARED, "everybody sees users");
    }
    assert_eq!(stands(&b, of_user, ana).await, FileStanding { shared: true, ..OWNER });
}

pub async fn a_public_key_finds_its_file(b: Backend) {
    let ana = b.person("ana").await;
    let public = NewFile { public_key: Some(public_key("a")), ..new_file(ana, 1) };
    let file = b.upload(public.clone()).await;
    b.upload(NewFile { public_key: Some(public_key("b")), ..new_file(ana, 2) }).await;
    b.file(ana, 3).await;
    let stored = StoredFile { file, digest: public.digest, object: public.object, thumbnail: None };
    assert_eq!(b.files.find_public(&public_key("a")).await.unwrap(), Some(stored));
    // Keys are compared letter by letter.
    assert_eq!(b.files.find_public(&public_key("A")).await.unwrap(), None);
    assert_eq!(b.files.find_public(&public_key("c")).await.unwrap(), None);
    b.files.collect_unused(at(1), at(1), 10).await.unwrap();
    assert_eq!(b.files.find_public(&public_key("a")).await.unwrap(), None);
}

pub async fn unused_files_are_collected_by_age(b: Backend) {
    let ana = b.person("ana").await;
    let upload = async |bytes, millis| b.upload(NewFile { at: at(millis), ..new_file(ana, bytes) }).await.id;
    let [old, exact, young] = [upload(1, 9).await, upload(2, 10).await, upload(3, 11).await];
    let objects = [b.object_of(old).await, b.object_of(exact).await];
    assert_eq!(b.files.collect_unused(at(9), at(50), 10).await.unwrap(), 0);
    assert_eq!(b.files.collect_unused(at(10), at(50), 10).await.unwrap(), 1);
    assert_eq!((b.is_stored(old).await, b.is_stored(exact).await), (false, true));
    assert_eq!(b.due(at(49)).await, BTreeSet::new());
    assert_eq!(b.due(at(50)).await, set([&objects[0]]));
    assert_eq!(b.files.collect_unused(at(10), at(60), 10).await.unwrap(), 0);
    assert_eq!(b.files.collect_unused(at(11), at(60), 10).await.unwrap(), 1);
    assert_eq!((b.is_stored(exact).await, b.is_stored(young).await), (false, true));
    assert_eq!(b.due(at(60)).await, set([&objects[0], &objects[1]]));
}

pub async fn used_files_are_not_collected(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let [sent, of_user, of_group, unused] =
        [b.file(ana, 1).await, b.image(ana, 2).await, b.image(ana, 3).await, b.file(ana, 4).await];
    b.attach(chat, ana, &[sent], at(1)).await.unwrap();
    b.users.set_avatar(ana.id, Some(of_user), at(1)).await.unwrap().unwrap();
    assert!(b.chats.set_avatar(chat, of_group, ana.id, at(1)).await.unwrap());
    assert_eq!(b.files.collect_unused(at(LIFE), at(LIFE), 10).await.unwrap(), 1);
    for file in [sent, of_user, of_group] {
        assert!(b.is_stored(file).await);
        let object = b.object_of(file).await;
        assert!(!b.due(at(LIFE)).await.contains(&object));
    }
    assert!(!b.is_stored(unused).await);
}

pub async fn files_are_collected_in_bites(b: Backend) {
    let ana = b.person("ana").await;
    for bytes in 0..5 {
        b.file(ana, bytes).await;
    }
    // Two of the same bytes: one object less.
    b.upload(new_file(ana, 4)).await;
    let wasted = b.due(at(LIFE)).await.len();
    let collected = async || b.files.collect_unused(at(1), at(1), 4).await.unwrap();
    assert_eq!((collected().await, collected().await, collected().await), (4, 2, 0));
    assert_eq!(b.due(at(1)).await.len(), wasted + 5);
}

pub async fn equal_bytes_that_come_while_they_go(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    for round in 0..16 {
        let first = new_file(ana, round);
        b.upload(first.clone()).await;
        let sent = b.attach(chat, ana, &[first.id], at(1)).await.unwrap();
        let second = new_file(luis, round);
        b.files.announce(&second.object, at(DAY)).await.unwrap();
        let going = b.messages.delete(chat, sent.id, at(2));
        let coming = b.files.insert(second.clone());
        // Both orders of being asked.
        let (gone, came) = if round % 2 == 0 {
            join(going, coming).await
        } else {
            let (came, gone) = join(coming, going).await;
            (gone, came)
        };
        assert!(gone.unwrap());
        assert!(came.unwrap().is_some());
        assert!(!b.is_stored(first.id).await);
        let kept = b.object_of(second.id).await;
        let left_over = if kept == first.object { &second.object } else { &first.object };
        let due = b.due(at(LIFE)).await;
        assert!(!due.contains(&kept), "the bytes of a file that is there may not be deleted");
        assert!(due.contains(left_over), "the other bytes may");
    }
}

pub async fn equal_bytes_stored_many_times_at_once(b: Backend) {
    let ana = b.person("ana").await;
    for round in 0..4 {
        let files: Vec<_> = (0..8).map(|_| new_file(ana, round)).collect();
        for file in &files {
            b.files.announce(&file.object, at(DAY)).await.unwrap();
        }
        for stored in join_all(files.iter().map(|file| b.files.insert(file.clone()))).await {
            assert!(stored.unwrap().is_some());
        }
        let kept: BTreeSet<_> = join_all(files.iter().map(|file| b.object_of(file.id))).await.into_iter().collect();
        assert_eq!(kept.len(), 1);
        let mut objects: BTreeSet<_> = files.into_iter().map(|file| file.object).collect();
        let due = b.due(at(LIFE)).await;
        objects.retain(|object| due.contains(object) != kept.contains(object));
        assert_eq!(objects.len(), 8, "each object is either kept or due");
    }
}

pub async fn a_file_used_while_it_is_collected(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    for round in 0..16 {
        let file = b.file(ana, round).await;
        let object = b.object_of(file).await;
        let wanted = [file];
        let sending = b.attach(chat, ana, &wanted, at(2));
        let collecting = b.files.collect_unused(at(1), at(1), 100);
        let (sent, collected) = join(sending, collecting).await;
        let due = b.due(at(LIFE)).await.contains(&object);
        match sent {
            Ok(message) => {
                assert_eq!((collected.unwrap(), due), (0, false));
                assert_eq!(message.attachments()[0].id, file);
                assert!(b.is_stored(file).await);
            }
            Err(AppendError::AttachmentNotFound(missing)) => {
                assert_eq!((collected.unwrap(), due, missing), (1, true, file));
                assert!(!b.is_stored(file).await);
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

pub async fn messages_with_the_same_files_deleted_at_once(b: Backend) {
    let crowd = b.crowd(8).await;
    let mut chats = Vec::new();
    for n in 0..8 {
        chats.push(b.group(crowd[n], &crowd[..n]).await);
    }
    for round in 0..3 {
        let mut files = Vec::new();
        let mut objects = BTreeSet::new();
        for n in 0..4 {
            let file = b.file(crowd[0], 10 * round + n).await;
            objects.insert(b.object_of(file).await);
            files.push(file);
        }
        let sharing = b.group(crowd[0], &crowd[1..]).await;
        b.attach(sharing, crowd[0], &files, at(1)).await.unwrap();
        let sent = join_all((0..8).map(async |n: usize| {
            let mut files = files.clone();
            files.rotate_left(n % 4);
            b.attach(chats[n], crowd[n], &files, at(1)).await.unwrap().id
        }))
        .await;
        assert!(b.chats.delete(sharing, at(9)).await.unwrap());
        for file in &files {
            assert!(b.is_stored(*file).await);
        }
        let delete = |n: usize| b.messages.delete(chats[n], sent[n], at(2));
        for deleted in join_all((0..8).map(delete)).await {
            assert!(deleted.unwrap());
        }
        for file in files {
            assert!(!b.is_stored(file).await);
        }
        assert!(objects.is_subset(&b.due(at(2)).await));
    }
}

pub async fn times_of_objects_keep_their_milliseconds(b: Backend) {
    for millis in [1, 999, 1_750_000_000_001] {
        let object = object();
        b.files.announce(&object, Timestamp::from_millis(millis)).await.unwrap();
        assert!(!b.due(Timestamp::from_millis(millis - 1)).await.contains(&object));
        assert!(b.due(Timestamp::from_millis(millis)).await.contains(&object));
    }
}

pub async fn users_who_share_files_erased_at_once(b: Backend) {
    let rest = b.person("rest").await;
    for round in 0..3 {
        let mut crowd = Vec::new();
        for n in 0..6 {
            crowd.push(b.person(&format!("user{round}{n}")).await);
        }
        let chat = b.group(rest, &crowd).await;
        let mut files = Vec::new();
        let mut objects = BTreeSet::new();
        for (n, person) in (0..).zip(&crowd) {
            // Two of each have the same bytes.
            let file = b.image(*person, 10 * round + n / 2).await;
            objects.insert(b.object_of(file).await);
            b.attach(chat, *person, &[file], at(1)).await.unwrap();
            b.users.set_avatar(person.id, Some(file), at(1)).await.unwrap().unwrap();
            files.push(file);
        }
        for (n, person) in crowd.iter().enumerate() {
            files.rotate_left(n);
            b.attach(chat, *person, &files, at(2)).await.unwrap();
        }
        let mut gone = 0;
        for erased in join_all(crowd.iter().map(|person| b.users.delete(person.id, true, at(3)))).await {
            let erased = erased.unwrap().unwrap();
            assert_eq!(erased.messages, 2);
            gone += erased.files;
        }
        assert_eq!(gone, 6, "each file went once");
        for file in files {
            assert!(!b.is_stored(file).await);
        }
        assert_eq!(objects.len(), 3);
        assert!(objects.is_subset(&b.due(at(3)).await));
    }
}

pub async fn files_collected_many_times_at_once_are_collected_once(b: Backend) {
    let ana = b.person("ana").await;
    for bytes in 0..20 {
        b.file(ana, bytes).await;
    }
    let collected = join_all((0..8).map(|_| b.files.collect_unused(at(1), at(1), 5))).await;
    let mut sum: u64 = collected.into_iter().map(Result::unwrap).sum();
    // What somebody had to pass over is still there.
    sum += b.files.collect_unused(at(1), at(1), 100).await.unwrap();
    assert_eq!((sum, b.due(at(1)).await.len()), (20, 20));
}
