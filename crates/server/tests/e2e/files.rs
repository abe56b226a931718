//! Files: what is taken, who may read it, how it is served, and what goes.

use crate::support::{Answer, Form, Person, Server, Site, bomb, eventually, on_each_store, picture, size_of, value};
use reqwest::Method;
use reqwest::header::{IF_NONE_MATCH, RANGE};
use serde_json::{Value, json};

on_each_store! {
    a_file_is_for_those_in_its_chat
    a_file_that_one_may_not_read_cannot_be_attached
    a_message_holds_text_and_files
    a_file_is_served_in_ranges_and_once
    a_page_in_disguise_is_served_as_an_attachment
    names_become_harmless
    an_empty_file_and_none_are_refused
    a_bomb_is_refused_and_not_decoded
    a_file_over_the_limit_leaves_nothing
    equal_bytes_are_kept_once
    a_deleted_message_takes_its_files_away
    an_erased_account_takes_its_files_away
    users_have_avatars
    groups_have_avatars
    images_get_thumbnails
}

/// Ana with Ben in a group, and Eve outside.
async fn people(server: &Server) -> ([Person; 3], String) {
    let (ana, ben) = (server.register("ana").await, server.register("ben").await);
    let chat = ana.group("Files", &[&ben]).await;
    ([ana, ben, server.register("eve").await], chat)
}

/// Waits until the store keeps so many objects.
async fn keeps(site: &Site, server: &Server, count: usize) {
    eventually("the store to be tidied", async || {
        (site.objects(server).await.len() == count).then_some(())
    })
    .await;
}

async fn a_file_is_for_those_in_its_chat(site: Site) {
    let server = site.server().await;
    let ([ana, ben, eve], chat) = people(&server).await;
    let image = picture(40, 30, 7);
    let file = ana.upload("A picture.png", &image).await;
    assert_eq!(
        (&file["name"], &file["mime"], &file["size"]),
        (&json!("A picture.png"), &json!("image/png"), &json!(image.len()))
    );
    assert_eq!((&file["width"], &file["height"]), (&json!(40), &json!(30)));
    let url = file["url"].as_str().unwrap();
    assert_eq!(
        url,
        format!("/api/v1/files/{}/A%20picture.png", file["id"].as_str().unwrap())
    );

    // Nobody's but the owner's, until it is in a chat.
    assert_eq!(ana.download(&file).await.body, image);
    ben.download(&file).await.problem(404, "not_found");
    let message = ana.send_files(&chat, &[&file]).await;
    assert_eq!(
        (&message["body"], &message["attachments"]),
        (&json!(null), &json!([file]))
    );
    for reader in [&ana, &ben] {
        let answer = reader.download(&file).await;
        assert_eq!((answer.status, &answer.body), (200, &image));
        let shown = reader.get(&format!("/chats/{chat}/messages")).await.is(200);
        assert_eq!(shown["items"][0]["attachments"], json!([file]));
    }
    eve.download(&file).await.problem(404, "not_found");
    server.get_root(url).await.problem(401, "unauthenticated");

    // Who leaves the chat, leaves its files.
    ben.delete(&format!("/chats/{chat}/members/{}", ben.id)).await.is(204);
    ben.download(&file).await.problem(404, "not_found");
}

async fn a_file_that_one_may_not_read_cannot_be_attached(site: Site) {
    let server = site.server().await;
    let ([ana, ben, eve], chat) = people(&server).await;
    let file = ana.upload("plan.txt", "the plan").await;
    ana.send_files(&chat, &[&file]).await;
    let elsewhere = eve.group("Elsewhere", &[]).await;
    for (person, chat) in [(&eve, &elsewhere), (&eve, &chat)] {
        let refused = person.attach(chat, &[&file]).await.problem(404, "not_found");
        if *chat == elsewhere {
            assert_eq!(refused["errors"][0]["field"], "attachments");
        }
    }
    assert_eq!(eve.bodies(&elsewhere).await.len(), 0);
    eve.download(&file).await.problem(404, "not_found");
    // Who may read it may pass it on.
    ben.group("Passed on", &[&eve]).await;
    let passed_on = ben.group("Passed on", &[&eve]).await;
    ben.send_files(&passed_on, &[&file]).await;
    assert_eq!(eve.download(&file).await.body, b"the plan");

    let unknown = json!({"id": "01900000-0000-7000-8000-000000000001"});
    ana.attach(&chat, &[&unknown]).await.problem(404, "not_found");
    let many: Vec<&Value> = vec![&file; 11];
    assert_eq!(ana.attach(&chat, &many).await.invalid_fields(), ["attachments"]);
}

async fn a_message_holds_text_and_files(site: Site) {
    let server = site.server().await;
    let ([ana, ben, _], chat) = people(&server).await;
    let messages = format!("/chats/{chat}/messages");
    let form = || {
        Form::new()
            .text("body", "Both at once")
            .file("one.txt", b"first")
            .file("two.txt", b"second")
    };
    let message = ana.send_form(Method::POST, &messages, form()).await.is(201);
    assert_eq!(message["body"], "Both at once");
    let attachments = message["attachments"].as_array().unwrap();
    let names: Vec<&Value> = attachments.iter().map(|file| &file["name"]).collect();
    assert_eq!(names, ["one.txt", "two.txt"]);
    assert_eq!(ben.download(&attachments[1]).await.body, b"second");

    // A retry sends nothing twice.
    let keyed = || {
        let request = ana.request(Method::POST, &messages).header("Idempotency-Key", "key");
        Answer::to(form().on(request))
    };
    let first = keyed().await;
    let again = keyed().await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((first.status, first.json()), (again.status, again.json()));
    assert_eq!(ana.chat(&chat).await["last_seq"], 2);

    let nothing = ana.post(&messages, json!({"attachments": []})).await;
    assert_eq!(nothing.invalid_fields(), ["body"]);
}

async fn a_file_is_served_in_ranges_and_once(site: Site) {
    let server = site.server().await;
    let ana = server.register("ana").await;
    let bytes: Vec<u8> = (0..=255).cycle().take(700_000).collect();
    let file = ana.upload("data.bin", &bytes).await;
    let whole = ana.download(&file).await;
    assert_eq!((whole.status, &whole.body), (200, &bytes));
    let etag = whole.header("etag").unwrap().to_owned();
    assert!(etag.starts_with('"'), "a strong one: {etag}");
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-length"), Some("700000"));
    assert_eq!(whole.header("x-content-type-options"), Some("nosniff"));
    assert!(whole.header("cache-control").unwrap().contains("private"));
    assert!(
        whole
            .header("content-security-policy")
            .unwrap()
            .contains("default-src 'none'")
    );
    assert!(whole.header("content-disposition").unwrap().starts_with("attachment"));

    let unchanged = Answer::to(ana.fetch(&file).header(IF_NONE_MATCH, &etag)).await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));

    let range = async |range: &str| Answer::to(ana.fetch(&file).header(RANGE, range)).await;
    for (asked, expected) in [
        ("bytes=0-0", 0..1),
        ("bytes=1000-1999", 1_000..2_000),
        ("bytes=699990-", 699_990..700_000),
        ("bytes=-10", 699_990..700_000),
        ("bytes=699990-9999999", 699_990..700_000),
    ] {
        let part = range(asked).await;
        assert_eq!(part.status, 206, "{asked}");
        let shown = format!("bytes {}-{}/700000", expected.start, expected.end - 1);
        assert_eq!(part.header("content-range"), Some(shown.as_str()));
        assert_eq!(part.body, bytes[expected], "{asked}");
    }
    let behind = range("bytes=700000-").await;
    assert_eq!(behind.header("content-range"), Some("bytes */700000"));
    assert_eq!(behind.status, 416);
}

async fn a_page_in_disguise_is_served_as_an_attachment(site: Site) {
    let server = site.server().await;
    let ana = server.register("ana").await;
    let page = "<!DOCTYPE html><script>alert(document.cookie)</script>";
    let drawing = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    for (name, bytes, mime) in [("cat.png", page, "text/html"), ("cat.png", drawing, "image/svg+xml")] {
        // The form claims that it is a PNG.
        let file = ana.upload(name, bytes).await;
        assert_eq!((&file["mime"], &file["name"]), (&json!(mime), &json!(name)));
        assert_eq!(file.get("width"), None);
        let answer = ana.download(&file).await;
        assert!(answer.header("content-type").unwrap().starts_with(mime), "{answer:?}");
        assert!(answer.header("content-disposition").unwrap().starts_with("attachment"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("content-security-policy").unwrap().contains("sandbox"));
    }
    let image = ana.upload("page.html", picture(2, 2, 0)).await;
    assert_eq!(image["mime"], "image/png");
    let answer = ana.download(&image).await;
    assert!(answer.header("content-disposition").unwrap().starts_with("inline"));
}

async fn names_become_harmless(site: Site) {
    let server = site.server().await;
    let ana = server.register("ana").await;
    let long = format!("{}.jpeg", "n".repeat(295));
    for (given, kept) in [
        ("../../x", "x"),
        ("/etc/passwd", "passwd"),
        ("..", "file"),
        ("", "file"),
        ("quo\"te.txt", "quo\"te.txt"),
        (long.as_str(), &format!("{}.jpeg", "n".repeat(250))),
    ] {
        let file = ana.upload(given, "content").await;
        assert_eq!(file["name"], kept, "{given:?}");
        let answer = ana.download(&file).await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"content"[..]));
    }
    // Encoded, so that it comes through as one.
    let form = Form::new().file_called("filename*=UTF-8''a%00b%2Fc%00d.txt", b"content");
    let file = ana.send_form(Method::POST, "/files", form).await.is(201);
    assert_eq!(file["name"], "c_d.txt");
    assert_eq!(ana.download(&file).await.body, b"content");
    // As it is, it has no place in a head.
    let form = Form::new().file("a\0b.txt", b"content");
    let raw = ana.send_form(Method::POST, "/files", form).await;
    raw.problem(400, "invalid_input");
}

async fn an_empty_file_and_none_are_refused(site: Site) {
    let server = site.server().await;
    let ana = server.register("ana").await;
    assert_eq!(ana.try_upload("empty.txt", "").await.invalid_fields(), ["file"]);
    let none = Form::new().text("body", "no file");
    let none = ana.send_form(Method::POST, "/files", none).await;
    assert_eq!(none.invalid_fields(), ["file"]);
    let json = ana.post("/files", json!({})).await;
    json.problem(415, "unsupported_media_type");
    assert_eq!(site.objects(&server).await, [""; 0]);
}

async fn a_bomb_is_refused_and_not_decoded(site: Site) {
    let server = site.server().await;
    let ana = server.register("ana").await;
    let refused = ana.try_upload("bomb.png", bomb()).await;
    assert_eq!(refused.invalid_fields(), ["file"]);
    let avatar = Form::new().file("bomb.png", &bomb());
    let refused = ana.send_form(Method::PUT, "/me/avatar", avatar).await;
    assert_eq!(refused.invalid_fields(), ["file"]);
    assert_eq!(site.objects(&server).await, [""; 0]);
}

async fn a_file_over_the_limit_leaves_nothing(site: Site) {
    let server = site
        .server_with(|settings| settings.max_file_size = value("64KiB"))
        .await;
    let ([ana, ..], chat) = people(&server).await;
    let (most, more) = (vec![b'x'; 65_536], vec![b'x'; 65_537]);
    for bytes in [&more, &vec![b'x'; 1_000_000]] {
        let refused = ana.try_upload("large.txt", bytes).await;
        refused.problem(413, "payload_too_large");
        let form = Form::new().file("small.txt", b"small").file("large.txt", bytes);
        let refused = ana
            .send_form(Method::POST, &format!("/chats/{chat}/messages"), form)
            .await;
        refused.problem(413, "payload_too_large");
    }
    assert_eq!(ana.chat(&chat).await["last_seq"], 0);
    // The small one was complete before the large one came; nothing uses it, and it is kept for a day.
    keeps(&site, &server, 1).await;
    let file = ana.upload("largest.txt", &most).await;
    assert_eq!(file["size"], 65_536);
    assert_eq!(site.objects(&server).await.len(), 2);
}

async fn equal_bytes_are_kept_once(site: Site) {
    let server = site.server().await;
    let ([ana, ben, _], _) = people(&server).await;
    let first = ana.upload("one.txt", "the same").await;
    let second = ben.upload("two.txt", "the same").await;
    let third = ben.upload("three.txt", "the same").await;
    ana.upload("other.txt", "not the same").await;
    keeps(&site, &server, 2).await;
    for (person, file) in [(&ana, &first), (&ben, &second), (&ben, &third)] {
        assert_eq!(person.download(file).await.body, b"the same");
    }
    ana.download(&second).await.problem(404, "not_found");
}

async fn a_deleted_message_takes_its_files_away(site: Site) {
    let server = site.server().await;
    let ([ana, ben, _], chat) = people(&server).await;
    let shared = ana.upload("shared.txt", "in two messages").await;
    let alone = ana.upload("alone.txt", "in one message").await;
    let first = ana.send_files(&chat, &[&shared, &alone]).await;
    let second = ana.send_files(&chat, &[&shared]).await;
    let path = |message: &Value| format!("/chats/{chat}/messages/{}", message["id"].as_str().unwrap());

    ana.delete(&path(&first)).await.is(204);
    assert_eq!(ana.get(&path(&first)).await.is(200)["attachments"], json!([]));
    for person in [&ana, &ben] {
        person.download(&alone).await.problem(404, "not_found");
        assert_eq!(person.download(&shared).await.status, 200);
    }
    keeps(&site, &server, 1).await;
    ana.delete(&path(&second)).await.is(204);
    ana.download(&shared).await.problem(404, "not_found");
    keeps(&site, &server, 0).await;
}

async fn an_erased_account_takes_its_files_away(site: Site) {
    let server = site.server().await;
    let ([ana, ben, _], chat) = people(&server).await;
    let sent = ben.upload("sent.txt", "sent").await;
    ben.send_files(&chat, &[&sent]).await;
    let avatar = Form::new().file("me.png", &picture(4, 4, 1));
    ben.send_form(Method::PUT, "/me/avatar", avatar).await.is(200);
    let kept = ana.upload("kept.txt", "of somebody else").await;
    ana.send_files(&chat, &[&kept]).await;

    let erased = ben.delete("/me?erase=true").await.is(200);
    assert_eq!(
        (&erased["messages"], &erased["files"]),
        (&json!(1), &json!(2)),
        "{erased}"
    );
    ana.download(&sent).await.problem(404, "not_found");
    assert_eq!(ana.download(&kept).await.status, 200);
    keeps(&site, &server, 1).await;
}

async fn users_have_avatars(site: Site) {
    let server = site.server().await;
    let ([ana, _, eve], _) = people(&server).await;
    let image = picture(64, 64, 9);
    let form = |bytes: &[u8]| Form::new().file("me.png", bytes);
    let me = ana.send_form(Method::PUT, "/me/avatar", form(&image)).await.is(200);
    let avatar = json!({"url": me["avatar_url"]});
    // Whoever can see the user can see the picture.
    let seen = eve.get(&format!("/users/{}", ana.id)).await.is(200);
    assert_eq!(seen["avatar_url"], me["avatar_url"]);
    let answer = eve.download(&avatar).await;
    assert_eq!((answer.status, answer.body), (200, image));

    let text = ana.send_form(Method::PUT, "/me/avatar", form(b"no image")).await;
    text.problem(415, "unsupported_media_type");
    let other = ana
        .send_form(Method::PUT, "/me/avatar", form(&picture(64, 64, 10)))
        .await
        .is(200);
    assert_ne!(other["avatar_url"], me["avatar_url"]);
    eve.download(&avatar).await.problem(404, "not_found");
    ana.delete("/me/avatar").await.is(204);
    assert_eq!(ana.get("/me").await.is(200)["avatar_url"], json!(null));
    eve.download(&json!({"url": other["avatar_url"]}))
        .await
        .problem(404, "not_found");
}

async fn groups_have_avatars(site: Site) {
    let server = site.server().await;
    let ([ana, ben, eve], chat) = people(&server).await;
    let path = format!("/chats/{chat}/avatar");
    let image = picture(64, 64, 11);
    let form = || Form::new().file("us.png", &image);
    let shown = ana.send_form(Method::PUT, &path, form()).await.is(200);
    let avatar = json!({"url": shown["avatar_url"]});
    assert_eq!(ben.chat(&chat).await["avatar_url"], shown["avatar_url"]);
    assert_eq!(ben.download(&avatar).await.body, image);
    eve.download(&avatar).await.problem(404, "not_found");
    eve.send_form(Method::PUT, &path, form())
        .await
        .problem(404, "not_found");
    let direct = ana
        .post("/chats", json!({"kind": "direct", "user_id": ben.id}))
        .await
        .is(201);
    let path = format!("/chats/{}/avatar", direct["id"].as_str().unwrap());
    ana.send_form(Method::PUT, &path, form())
        .await
        .problem(422, "invalid_input");
}

async fn images_get_thumbnails(site: Site) {
    let server = site.server().await;
    let ([ana, ben, eve], chat) = people(&server).await;
    let file = ana.upload("large.png", picture(1_600, 900, 99)).await;
    ana.send_files(&chat, &[&file]).await;
    let thumbnail = json!({"url": file["thumbnail_url"]});
    let small = eventually("a thumbnail", async || {
        let answer = ben.download(&thumbnail).await;
        (answer.status == 200).then_some(answer)
    })
    .await;
    assert_eq!(size_of(&small.body), (320, 180));
    assert!(small.header("content-type").unwrap().starts_with("image/"));
    eve.download(&thumbnail).await.problem(404, "not_found");
    let text = ana.upload("text.txt", "no picture").await;
    assert_eq!(text.get("thumbnail_url"), None);
}
