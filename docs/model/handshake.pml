/*
 * Device and bridge: the outbox, PUBLISH and PUBACK, receipts by id and hash, query, release and
 * completed, over a channel that loses, repeats and reorders.
 *
 * A channel is a set of packets: one that is delivered may stay, and one that is there may vanish.
 * So each packet can come any number of times, in any order, or never. Two things bound that, as
 * they do on a real connection: a PUBACK, or the end of the session, means that no PUBLISH is on the
 * wire any more; and a release reaches the rule before what the device publishes after it, or never.
 *
 * -DFULL is the full handshake, else the short one. -DREUSE gives both messages one id. -DFORGET is
 * a table that forgets released rows, once nothing that was received before is under way.
 * -DLIVE asks for liveness: however many faults there were, once they stop every message ends.
 *
 * Checked: i1 to i3, i5, i7; and live.
 */
#include "properties.pml"

#ifndef MESSAGES
#define MESSAGES 1
#endif

/* Messages are 1 and 2, each with a body of its own. */
#ifdef REUSE
#define idOf(b) 0
#else
#define idOf(b) ((b) - 1)
#endif

/* What the device's disk says of a message. */
#define UNMADE 0
#define PENDING 1
#define BOOKED 2
#define RELEASING 3
#define FORGOTTEN 4
#define ASIDE 5

#define STUB 7

byte state[3];
/* On the wire, and sent but not acknowledged, as the device counts it. */
bool wire[3];
bool unacked[3];
bool everSent[3];
/* In the queue of the bridge. */
bool queue[3];
/* Questions and releases under way to the handshake function; a release tells no body but is here
   known by the life of the id that it ends, for that is what its time stands for. */
bool asked[3];
bool releaseOnWire[3];
bool releaseStamped[3];
bool releasedOnce[3];
/* Receipts under way to the device. */
bool saysBooked[3];
bool saysRejected[3];
bool saysCompleted[2];

/* The table, by id: the booked body, and the life that was released. The quarantine, by message. */
byte row[2];
byte released[2];
bool kept[3];
byte bookings[3];

/* No fault happens any more. */
bool calm = false;

#ifdef LIVE
#define MAY(fault) !calm && (fault)
#else
#define MAY(fault) (fault)
#endif

/* What was delivered may come again. */
inline consume(packet) {
  if
  :: MAY(true) -> EVENT("a packet is delivered and will come again\n")
  :: packet = false
  fi
}

inline answer(receipt) {
  if
  :: MAY(true) -> EVENT("a receipt is lost\n")
  :: receipt = true
  fi
}

/* The body leaves the disk, or its id does: the outbox was the only copy until it was kept. */
inline drop(b) {
  I2(bookings[b] > 0 || kept[b])
}

#ifdef REUSE
#define isFree(b) (b == 1 || state[b - 1] == FORGOTTEN || state[b - 1] == ASIDE)
#else
#define isFree(b) true
#endif

/* device/publish/sender.ts */
proctype Sender(byte b) {
end:
  do
  :: atomic {
       state[b] == UNMADE && isFree(b) ->
       EVENT("the device keeps a message\n"); printf("  message %d\n", b);
       state[b] = PENDING
     }
#ifdef NO_RESEND
  :: atomic { state[b] == PENDING && !wire[b] && !everSent[b] ->
#else
  :: atomic { state[b] == PENDING && !wire[b] ->
#endif
       EVENT("PUBLISH\n"); printf("  message %d\n", b);
       wire[b] = true; unacked[b] = true;
#ifdef NO_RESEND
       everSent[b] = true
#endif
     }
#ifdef FULL
#ifdef RELEASE_BEFORE_PUBACK
  :: atomic { (state[b] == BOOKED || state[b] == RELEASING) && !releaseOnWire[b] ->
#else
#ifdef RELEASE_ONCE
  :: atomic { state[b] == BOOKED && !unacked[b] && !releaseOnWire[b] && !releasedOnce[b] ->
#else
  :: atomic { (state[b] == BOOKED || state[b] == RELEASING) && !unacked[b] && !releaseOnWire[b] ->
#endif
#endif
       EVENT("release\n"); printf("  of message %d\n", b);
       state[b] = RELEASING; releaseOnWire[b] = true;
#ifdef RELEASE_ONCE
       releasedOnce[b] = true
#endif
     }
#endif
  od
}

#ifdef ASK
/* device/publish/sender.ts, #query: a message that may have been sent before is asked for. */
proctype Asker(byte b) {
end:
  do
  :: atomic { state[b] == PENDING && !asked[b] -> EVENT("query\n"); asked[b] = true }
  od
}
#endif

/* PUBACK, and the end of a session or of the device's program. */
proctype Session(byte b) {
end:
  do
  :: atomic {
       unacked[b] && !wire[b] ->
       EVENT("PUBACK\n"); printf("  message %d\n", b);
       unacked[b] = false;
#ifdef DROP_AT_PUBACK
       if :: state[b] == PENDING -> drop(b); state[b] = FORGOTTEN :: else fi
#endif
     }
  :: atomic {
       MAY(state[b] != UNMADE) ->
       EVENT("the connection is cut, or the device starts again\n");
       wire[b] = false; unacked[b] = false;
       if
       :: state[b] == RELEASING -> state[b] = BOOKED
#ifdef OUTBOX_IN_MEMORY
       :: state[b] == PENDING -> drop(b); state[b] = FORGOTTEN
#endif
       :: else
       fi
     }
  od
}

inline book(which) {
  drop(which);
#ifdef FULL
  state[which] = BOOKED
#else
  state[which] = FORGOTTEN
#endif
}

/* device/publish/answers.ts: only an answer that names the very body that is held changes anything. */
proctype Hearing(byte b) {
#ifdef RECEIPT_NAMES_ID
  byte other = 3 - b;
#endif
end:
  do
  :: atomic {
       saysBooked[b] -> consume(saysBooked[b]);
       if
       :: state[b] == PENDING -> EVENT("the device hears that its message is booked\n"); book(b)
#ifdef RECEIPT_NAMES_ID
       :: state[b] != PENDING && state[other] == PENDING && idOf(b) == idOf(other) ->
          EVENT("the device takes a receipt of another body for its own\n"); book(other)
#endif
       :: else -> EVENT("the device ignores a receipt\n")
       fi
     }
  :: atomic {
       saysRejected[b] -> consume(saysRejected[b]);
       if
       :: state[b] == PENDING ->
          EVENT("the device sets a rejected message aside\n"); I5(kept[b]); state[b] = ASIDE
       :: else -> EVENT("the device ignores a rejection\n")
       fi
     }
#ifdef FULL
  :: atomic {
       saysCompleted[idOf(b)] && state[b] == RELEASING ->
       consume(saysCompleted[idOf(b)]);
       EVENT("completed: the device forgets the id\n"); printf("  message %d\n", b);
       drop(b); state[b] = FORGOTTEN
     }
#endif
  od
}

/* The broker and the rule. What the device sends after a release is not received before it. */
#ifdef REUSE
#define comesInOrder(b) (b == 1 || !releaseOnWire[1])
#else
#define comesInOrder(b) true
#endif
proctype Broker(byte b) {
end:
  do
  :: atomic {
       wire[b] && comesInOrder(b) -> consume(wire[b]);
       if
       :: MAY(true) -> EVENT("lost between PUBACK and queue\n")
       :: queue[b] = true; EVENT("a delivery reaches the queue\n"); printf("  message %d\n", b)
       fi
     }
#ifdef FULL
  :: atomic {
       releaseOnWire[b] -> consume(releaseOnWire[b]);
       if
       :: MAY(true) -> EVENT("a release is lost\n")
       :: releaseStamped[b] = true
       fi
     }
#endif
  od
}

/* lambda/ingest: record.pml has what is between write and receipt. */
proctype Ingest(byte b) {
end:
  do
#ifdef RECEIPT_FIRST
  :: atomic { queue[b] -> EVENT("a receipt before the write\n"); I3(row[idOf(b)] == b); saysBooked[b] = true }
#endif
  :: atomic {
       queue[b] -> consume(queue[b]);
       if
       :: row[idOf(b)] == 0 ->
          EVENT("accepted\n"); printf("  message %d\n", b);
          row[idOf(b)] = b; bookings[b]++;
          I7(bookings[b] == 1); I1(bookings[b] == 1);
          I3(row[idOf(b)] == b); answer(saysBooked[b])
       :: row[idOf(b)] == b ->
          EVENT("duplicate\n"); printf("  message %d\n", b);
          I3(row[idOf(b)] == b); answer(saysBooked[b])
       :: row[idOf(b)] != 0 && row[idOf(b)] != b ->
          EVENT("conflict\n"); printf("  message %d\n", b);
          I5(row[idOf(b)] != STUB);
          kept[b] = true;
#ifndef CONFLICT_SILENT
          answer(saysRejected[b])
#endif
       fi
     }
  od
}

#if defined(FULL) || defined(ASK)
/* lambda/handshake */
proctype Handshake(byte b) {
end:
  do
#ifdef ASK
  :: atomic {
       asked[b] -> consume(asked[b]);
       if
#ifdef QUERY_BY_ID
       :: row[idOf(b)] != 0 ->
#else
       :: row[idOf(b)] == b ->
#endif
          EVENT("query: accepted\n"); I3(row[idOf(b)] == b); answer(saysBooked[b])
       :: row[idOf(b)] != b && kept[b] -> EVENT("query: rejected\n"); answer(saysRejected[b])
       :: else -> EVENT("query: unknown\n")
       fi
     }
#endif
#ifdef FULL
  :: atomic {
       releaseStamped[b] -> consume(releaseStamped[b]);
       if
#ifdef RELEASE_LATER_LIFE
       :: row[idOf(b)] > 0 && released[idOf(b)] == 0 ->
#else
       :: row[idOf(b)] > 0 && row[idOf(b)] <= b && released[idOf(b)] == 0 ->
#endif
          EVENT("the row is marked as released\n"); released[idOf(b)] = b
#ifdef RELEASE_STUB
       :: row[idOf(b)] == 0 -> EVENT("a row is made for the release\n"); row[idOf(b)] = STUB
#endif
       :: else -> EVENT("a release changes nothing\n")
       fi;
#ifdef COMPLETED_FOR_ROW_ONLY
       if :: row[idOf(b)] == b -> answer(saysCompleted[idOf(b)]) :: else fi
#else
       answer(saysCompleted[idOf(b)])
#endif
     }
#endif
  od
}

#endif

#ifdef FORGET
#ifdef FORGET_AT_RELEASE
#define nothingUnderWay(id) true
#else
#ifdef REUSE
#define nothingUnderWay(id) (!queue[1] && (released[id] < 2 || !queue[2]))
#else
#define nothingUnderWay(id) (!queue[id + 1])
#endif
#endif
/* L after the release: until then, what was received before it finds its row. */
proctype Store(byte id) {
end:
  do
  :: atomic {
       row[id] > 0 && released[id] > 0 && nothingUnderWay(id) ->
       EVENT("the row is forgotten\n"); row[id] = 0; released[id] = 0
     }
  od
}
#endif

#ifdef LIVE
proctype Weather() { atomic { EVENT("from now on nothing fails\n"); calm = true } }
#define isEnded(b) (state[b] == FORGOTTEN || state[b] == ASIDE)
#if MESSAGES > 1
ltl live { <> (isEnded(1) && isEnded(2)) }
#else
ltl live { <> isEnded(1) }
#endif
#endif

inline start(b) {
  run Sender(b); run Session(b); run Hearing(b); run Broker(b); run Ingest(b);
#ifdef ASK
  run Asker(b);
#endif
#if defined(FULL) || defined(ASK)
  run Handshake(b)
#endif
}

init {
  atomic {
    start(1);
#if MESSAGES > 1
    start(2);
#endif
#ifdef FORGET
    run Store(0);
#if MESSAGES > 1 && !defined(REUSE)
    run Store(1);
#endif
#endif
#ifdef LIVE
    run Weather()
#endif
  }
}
