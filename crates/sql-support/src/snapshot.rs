//! Messages as they were when they were sent: what the record of a keyed send keeps, so that a retry gets the first
//! answer whatever became of the message since.

use crate::file::FileView;
use crate::inconsistent;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{
    Author, ChatId, DisplayName, File, Message, MessageBody, MessageContent, MessageId, ReplyPreview, Seq, Timestamp,
    UserId, Username,
};

/// A message that was just sent: neither edited nor deleted. In JSON an object of these fields.
#[derive(Debug, Serialize, Deserialize)]
pub struct MessageSnapshot {
    id: String,
    chat_id: String,
    seq: i64,
    sender: AuthorSnapshot,
    body: Option<String>,
    /// Null or missing where there are none.
    #[serde(default)]
    attachments: Option<Vec<FileView>>,
    reply_to: Option<ReplySnapshot>,
    /// Null or missing where nobody is addressed.
    #[serde(default)]
    addressee: Option<String>,
    /// Milliseconds since the Unix epoch.
    created_at: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct AuthorSnapshot {
    id: String,
    username: Option<String>,
    display_name: Option<String>,
    #[serde(default)]
    avatar: Option<FileView>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ReplySnapshot {
    id: String,
    seq: i64,
    sender: AuthorSnapshot,
    body: Option<String>,
}

impl From<&Author> for AuthorSnapshot {
    fn from(author: &Author) -> Self {
        Self {
            id: author.id.to_string(),
            username: author.username.as_ref().map(|name| name.as_str().to_owned()),
            display_name: author.display_name.as_ref().map(|name| name.as_str().to_owned()),
            avatar: author.avatar.as_ref().map(Into::into),
        }
    }
}

impl From<&Message> for MessageSnapshot {
    fn from(message: &Message) -> Self {
        let text = |body: Option<&MessageBody>| body.map(|body| body.as_str().to_owned());
        Self {
            id: message.id.to_string(),
            chat_id: message.chat_id.to_string(),
            seq: message.seq.get(),
            sender: (&message.sender).into(),
            body: text(message.body()),
            attachments: Some(message.attachments().iter().map(Into::into).collect()),
            reply_to: message.reply_to.as_ref().map(|reply| ReplySnapshot {
                id: reply.id.to_string(),
                seq: reply.seq.get(),
                sender: (&reply.sender).into(),
                body: text(reply.body.as_ref()),
            }),
            addressee: message.addressee.map(|addressee| addressee.to_string()),
            created_at: message.created_at.as_millis(),
        }
    }
}

impl MessageSnapshot {
    /// The message again.
    pub fn restore(self) -> Result<Message, RepositoryError> {
        let reader = Reader { message: &self.id };
        Ok(Message {
            id: reader.id(&self.id, MessageId::parse)?,
            chat_id: reader.id(&self.chat_id, ChatId::parse)?,
            seq: reader.seq(self.seq)?,
            sender: reader.author(self.sender)?,
            content: MessageContent::Present {
                body: reader.body(self.body)?,
                attachments: reader.files(self.attachments.unwrap_or_default())?,
            },
            reply_to: match self.reply_to {
                Some(reply) => Some(ReplyPreview {
                    id: reader.id(&reply.id, MessageId::parse)?,
                    seq: reader.seq(reply.seq)?,
                    sender: reader.author(reply.sender)?,
                    body: reader.body(reply.body)?,
                }),
                None => None,
            },
            addressee: match &self.addressee {
                Some(addressee) => Some(reader.id(addressee, UserId::parse)?),
                None => None,
            },
            created_at: Timestamp::from_millis(self.created_at),
            edited_at: None,
        })
    }
}

/// Reads parts of a snapshot; names the message when it can't.
struct Reader<'a> {
    message: &'a str,
}

impl Reader<'_> {
    fn refuse(&self, reason: impl Display) -> RepositoryError {
        inconsistent("idempotency_keys", format_args!("of message {}", self.message), reason)
    }

    fn id<T>(&self, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, RepositoryError> {
        parse(text).ok_or_else(|| self.refuse(format_args!("{text:?} is no identifier")))
    }

    fn seq(&self, number: i64) -> Result<Seq, RepositoryError> {
        Seq::new(number).ok_or_else(|| self.refuse("a negative number"))
    }

    fn body(&self, text: Option<String>) -> Result<Option<MessageBody>, RepositoryError> {
        text.map(MessageBody::new).transpose().map_err(|e| self.refuse(e))
    }

    fn files(&self, files: Vec<FileView>) -> Result<Vec<File>, RepositoryError> {
        let files: Result<Vec<File>, _> = files.into_iter().map(TryInto::try_into).collect();
        files.map_err(|e| self.refuse(e))
    }

    fn author(&self, author: AuthorSnapshot) -> Result<Author, RepositoryError> {
        let username = author.username.as_deref().map(Username::new).transpose();
        let display_name = author.display_name.as_deref().map(DisplayName::new).transpose();
        Ok(Author {
            id: self.id(&author.id, UserId::parse)?,
            username: username.map_err(|e| self.refuse(e))?,
            display_name: display_name.map_err(|e| self.refuse(e))?,
            avatar: self.files(author.avatar.into_iter().collect())?.pop(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tertulia_domain::{Dimensions, FileId, FileName, MediaType};

    fn id(number: u32) -> String {
        format!("01900000-0000-7000-8000-{number:012}")
    }

    fn file(number: u32) -> File {
        File {
            id: FileId::parse(&id(number)).unwrap(),
            name: FileName::sanitise("a.png"),
            media_type: MediaType::new("image/png").unwrap(),
            size: 7,
            dimensions: Some(Dimensions { width: 2, height: 3 }),
            public_key: None,
        }
    }

    fn author(number: u32, named: bool) -> Author {
        Author {
            id: UserId::parse(&id(number)).unwrap(),
            username: named.then(|| Username::new("ana").unwrap()),
            display_name: named.then(|| DisplayName::new("Ana \"López\"").unwrap()),
            avatar: named.then(|| file(9)),
        }
    }

    fn message(reply_to: Option<ReplyPreview>) -> Message {
        Message {
            id: MessageId::parse(&id(1)).unwrap(),
            chat_id: ChatId::parse(&id(2)).unwrap(),
            seq: Seq::new(7).unwrap(),
            sender: author(3, true),
            content: MessageContent::Present {
                body: Some(MessageBody::new("¿qué tal?\n\t\\".to_owned()).unwrap()),
                attachments: vec![file(7), file(8)],
            },
            reply_to,
            addressee: Some(UserId::parse(&id(6)).unwrap()),
            created_at: Timestamp::from_millis(1_750_000_000_123),
            edited_at: None,
        }
    }

    #[test]
    fn a_message_survives() {
        let deleted = ReplyPreview {
            id: MessageId::parse(&id(4)).unwrap(),
            seq: Seq::new(3).unwrap(),
            sender: author(5, false),
            body: None,
        };
        for message in [message(None), message(Some(deleted))] {
            let json = serde_json::to_string(&MessageSnapshot::from(&message)).unwrap();
            let read: MessageSnapshot = serde_json::from_str(&json).unwrap();
            assert_eq!(read.restore().unwrap(), message);
        }
    }

    #[test]
    fn what_was_recorded_before_there_were_files_and_addressees_is_read() {
        let mut json = serde_json::to_value(MessageSnapshot::from(&message(None))).unwrap();
        json.as_object_mut().unwrap().remove("attachments");
        json.as_object_mut().unwrap().remove("addressee");
        json["sender"].as_object_mut().unwrap().remove("avatar");
        let restored = serde_json::from_value::<MessageSnapshot>(json)
            .unwrap()
            .restore()
            .unwrap();
        assert_eq!(restored.attachments(), []);
        assert_eq!(restored.sender.avatar, None);
        assert_eq!(restored.addressee, None);
    }

    #[test]
    fn what_the_domain_refuses_is_named() {
        let mut snapshot = MessageSnapshot::from(&message(None));
        snapshot.sender.username = Some("a b".to_owned());
        let refusal = snapshot.restore().unwrap_err().to_string();
        assert!(
            refusal.contains("idempotency_keys") && refusal.contains(&id(1)),
            "{refusal}"
        );
    }
}
