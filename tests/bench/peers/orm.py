"""The timer of a web application that the worker replaces: SQLAlchemy, whole table, one query and one clean-up a session.

Prints the seconds of the job; importing and connecting count for nothing, because the application has done both before.
"""
import datetime
import os
import time

import psycopg2
from sqlalchemy import Column, DateTime, ForeignKey, Integer, String, create_engine
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import declarative_base, sessionmaker

INACTIVE_HOURS = 24
Base = declarative_base()


class ChatSession(Base):
    __tablename__ = "sessions"
    id = Column(String(64), primary_key=True)
    user_id = Column(UUID(as_uuid=True), nullable=False)
    created_at = Column(DateTime)
    booking_id = Column(String)
    property_id = Column(UUID(as_uuid=True))


class Message(Base):
    __tablename__ = "messages"
    id = Column(Integer, primary_key=True)
    user_id = Column(UUID(as_uuid=True), nullable=False)
    sender = Column(String(10), nullable=False)
    content = Column(String)
    timestamp = Column(DateTime)


class ImageSent(Base):
    __tablename__ = "imageSent"
    id = Column(Integer, primary_key=True)
    session_id = Column(String(64), ForeignKey("sessions.id"), nullable=False)


class VideoSent(Base):
    __tablename__ = "videoSent"
    id = Column(Integer, primary_key=True)
    session_id = Column(String(64), ForeignKey("sessions.id"), nullable=False)


def is_inactive(db, session, cutoff):
    if session.created_at is not None and session.created_at >= cutoff:
        return False
    last = (db.query(Message).filter(Message.user_id == session.user_id, Message.sender == "user")
            .order_by(Message.timestamp.desc()).first())
    return last is None or (last.timestamp is not None and last.timestamp < cutoff)


def clean_up(db):
    cutoff = datetime.datetime.utcnow() - datetime.timedelta(hours=INACTIVE_HOURS)
    inactive = [session for session in db.query(ChatSession).all() if is_inactive(db, session, cutoff)]
    for session in inactive:
        db.query(ImageSent).filter(ImageSent.session_id == session.id).delete(synchronize_session=False)
        db.query(VideoSent).filter(VideoSent.session_id == session.id).delete(synchronize_session=False)
        db.delete(session)
    db.commit()


def main():
    engine = create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(os.environ["CLEANUP_POSTGRES_DSN"]))
    with sessionmaker(bind=engine)() as db:
        db.query(Message).first()
        db.rollback()
        began = time.monotonic()
        clean_up(db)
        print(time.monotonic() - began)


main()
