#![allow(clippy::all, clippy::pedantic, clippy::unwrap_used)]
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tertulia_adapters_sqlite::*;
use tertulia_domain::repository::*;
use tertulia_domain::*;
use uuid::Uuid;

fn v7() -> Uuid { static N: AtomicU64 = AtomicU64::new(1); let n = N.fetch_add(1, Ordering::Relaxed); Uuid::from_u64_pair(((now().as_millis() as u64) << 16) | 0x7000 | (n & 0xfff), (1 << 63) | n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 2) }
fn now() -> Timestamp {
    Timestamp::from_millis(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis() as i64,
    )
}

fn wchar() -> f64 { std::fs::read_to_string("/proc/self/io").unwrap().lines().find(|l| l.starts_with("wchar")).unwrap()[7..].parse().unwrap() }
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(") ").next().unwrap().split(' ').collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) * 10_000.0
}
#[tokio::main]
async fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let chats_n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let path = std::path::PathBuf::from(dir).join("bench.db");
    for s in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{s}", path.display()));
    }
    migrate(&path).unwrap();
    let db = SqliteDatabase::open(&path, SqliteOptions::default()).unwrap();
    let (users, sessions, chats, messages) = (db.users(), db.sessions(), Arc::new(db.chats()), Arc::new(db.messages()));
    let mut people = vec![];
    for n in 0..64 {
        let id = UserId::from_uuid(v7());
        users
            .insert(NewUser {
                id,
                username: Some(Username::new(&format!("user{n}")).unwrap()),
                email: None,
                display_name: Some(DisplayName::new("Some Body").unwrap()),
                profile: Profile::default(),
                role: Role::User,
                password: PasswordHash::from_phc("x".into()),
                at: now(),
            })
            .await
            .unwrap();
        let s = Session {
            id: SessionId::from_uuid(v7()),
            user_id: id,
            device: None,
            ip: None,
            created_at: now(),
            last_used_at: now(),
            expires_at: now().plus(Duration::from_secs(86400)),
        };
        let claim = ClaimedSession {
            session_id: s.id,
            user_id: id,
        };
        sessions
            .insert(
                NewSession {
                    session: s,
                    refresh: RefreshHashes {
                        family: [0; 32],
                        secret: [0; 32],
                    },
                },
                100,
            )
            .await
            .unwrap();
        people.push(claim);
    }
    let mut chat_ids = vec![];
    for _ in 0..chats_n {
        let id = ChatId::from_uuid(v7());
        chats
            .insert_group(
                NewGroup {
                    id,
                    title: ChatTitle::new("g").unwrap(),
                    owner: people[0].user_id,
                    members: people[1..].iter().map(|p| p.user_id).collect(),
                    at: now(),
                },
                None,
            )
            .await
            .unwrap();
        chat_ids.push(id);
    }
    for n in 1..64 {
        chats
            .insert_direct(
                NewDirectChat {
                    id: ChatId::from_uuid(v7()),
                    creator: people[0].user_id,
                    other: people[n].user_id,
                    at: now(),
                },
                None,
            )
            .await
            .unwrap();
    }
    for keyed in [false, true] {
        let count = Arc::new(AtomicU64::new(0));
        let c0 = cpu(); let w0 = wchar();
        let end = Instant::now() + Duration::from_secs(5);
        let mut tasks = vec![];
        for (n, p) in people.clone().into_iter().enumerate() {
            let (m, ids, count) = (messages.clone(), chat_ids.clone(), count.clone());
            tasks.push(tokio::spawn(async move {
                let mut i = n;
                let mut lat = vec![];
                while Instant::now() < end {
                    let t = Instant::now();
                    i = i.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    let claim = keyed.then(|| Claim {
                        user_id: p.user_id,
                        key: IdempotencyKey::new(&v7().to_string()).unwrap(),
                        fingerprint: Fingerprint([1; 32]),
                        at: now(),
                    });
                    m.append(AppendMessage {
                        id: MessageId::from_uuid(v7()),
                        chat_id: ids[(i >> 33) % ids.len()],
                        session: p,
                        body: MessageBody::new("x".repeat(100)).unwrap(),
                        reply_to: None,
                        at: now(),
                        claim,
                    })
                    .await
                    .unwrap();
                    lat.push(t.elapsed());
                    count.fetch_add(1, Ordering::Relaxed);
                }
                lat
            }));
        }
        let mut lat = vec![];
        for t in tasks {
            lat.extend(t.await.unwrap());
        }
        lat.sort();
        println!(
            "append keyed={keyed} 64 tasks {chats_n} chats: {}/s p50={:?} p99={:?} cpu={:.1}us wchar/append={:.0}",
            count.load(Ordering::Relaxed) / 5,
            lat[lat.len() / 2],
            lat[lat.len() * 99 / 100],
            (cpu() - c0) / lat.len() as f64, (wchar() - w0) / lat.len() as f64
        );
    }
    // one after the other
    let c0 = cpu(); let w0 = wchar();
    let t = Instant::now();
    let mut n = 0;
    while t.elapsed() < Duration::from_secs(2) {
        messages
            .append(AppendMessage {
                id: MessageId::from_uuid(v7()),
                chat_id: chat_ids[n % chats_n],
                session: people[0],
                body: MessageBody::new("x".repeat(100)).unwrap(),
                reply_to: None,
                at: now(),
                claim: None,
            })
            .await
            .unwrap();
        n += 1;
    }
    println!("append alone: {}/s cpu={:.1}us", n / 2, (cpu() - c0) / n as f64);
    for (name, kind) in [
        ("caller", 0),
        ("history 50", 1),
        ("chats 50", 2),
        ("direct chats only", 4),
        ("chat find", 3),
    ] {
        let count = Arc::new(AtomicU64::new(0));
        let c0 = cpu(); let w0 = wchar();
        let end = Instant::now() + Duration::from_secs(2);
        let mut tasks = vec![];
        for n in 0..16 {
            let (s, c, m, p, ids, count) = (
                sessions.clone(),
                chats.clone(),
                messages.clone(),
                people[if kind == 4 { 0 } else { n }],
                chat_ids.clone(),
                count.clone(),
            );
            tasks.push(tokio::spawn(async move {
                while Instant::now() < end {
                    match kind {
                        0 => {
                            s.find_caller(p, now()).await.unwrap().unwrap();
                        }
                        1 => {
                            assert_eq!(
                                m.list(ListMessages {
                                    chat_id: ids[n % ids.len()],
                                    session: p,
                                    range: MessageRange::Newest,
                                    limit: Limit::DEFAULT,
                                    at: now()
                                })
                                .await
                                .unwrap()
                                .items
                                .len(),
                                50
                            );
                        }
                        2 => {
                            c.list(p, None, Limit::DEFAULT, now()).await.unwrap();
                        }
                        4 => {
                            c.list(
                                p,
                                Some(ChatCursor {
                                    active_at: Timestamp::from_millis(now().as_millis() - 10),
                                    id: ChatId::from_uuid(Uuid::nil()),
                                }),
                                Limit::DEFAULT,
                                now(),
                            )
                            .await
                            .unwrap();
                        }
                        _ => {
                            c.find(ids[n % ids.len()], p.user_id).await.unwrap();
                        }
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        for t in tasks {
            t.await.unwrap();
        }
        println!(
            "{name}: {}/s cpu={:.1}us",
            count.load(Ordering::Relaxed) / 2,
            (cpu() - c0) / count.load(Ordering::Relaxed) as f64
        );
    }
}
