use super::frames::{ChatFacts, EventData, ServerFrame};
use crate::dto::{MemberRole, Message, User, file_url};
use crate::respond;
use actix_web::web::Bytes;
use tertulia_application::realtime::LiveEvent;
use tertulia_domain::{Change, Chat, ChatEvent, ChatTitle};

/// The frame of an event, made once.
pub(crate) fn event_json(event: &LiveEvent) -> Bytes {
    event.rendered(render)
}

fn render(event: &ChatEvent) -> Bytes {
    let data = match &event.change {
        Change::MessageCreated(message) | Change::MessageUpdated(message) | Change::MessageDeleted(message) => {
            EventData::Message(Box::new(Message::from(&**message)))
        }
        Change::ChatCreated(chat) | Change::ChatUpdated(chat) => EventData::Chat(facts(chat)),
        Change::ChatDeleted => EventData::Nothing {},
        Change::MemberAdded { user, role, read_seq } => EventData::Added {
            user: Box::new(User::absent(user)),
            role: MemberRole::from(*role),
            joined_at: event.at.into(),
            read_seq: read_seq.get(),
        },
        Change::MemberUpdated { user, role } => EventData::Updated {
            user: Box::new(User::absent(user)),
            role: MemberRole::from(*role),
        },
        Change::MemberRemoved { user_id } => EventData::Removed {
            user_id: (*user_id).into(),
        },
        Change::ReadUpdated { user_id, read_seq } => EventData::Read {
            user_id: (*user_id).into(),
            read_seq: read_seq.get(),
        },
    };
    let frame = ServerFrame::Event {
        event: event.change.name(),
        chat_id: event.chat_id.into(),
        event_seq: event.seq.get(),
        at: event.at.into(),
        data,
    };
    respond::to_json(&frame).into()
}

fn facts(chat: &Chat) -> ChatFacts<'_> {
    ChatFacts {
        id: chat.id.into(),
        number: chat.number,
        kind: chat.kind.as_str(),
        title: chat.kind.title().map(ChatTitle::as_str),
        avatar_url: chat.avatar.as_ref().map(file_url),
        created_at: chat.created_at.into(),
        updated_at: chat.updated_at.into(),
        member_count: chat.member_count,
        last_seq: chat.last_seq.get(),
    }
}
