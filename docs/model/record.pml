/*
 * A ledger row: the one write, its effects, and every way a delivery can be tried again.
 *
 * A delivery is one arrival at the rule. It lies in the queue, is taken by a function, comes back
 * when the function crashed or was too slow (also while the first try still runs), goes to the
 * dead-letter queue after RECEIVES receives, and may be redriven from there. Lambda's own queue on
 * the error-action path does the same with other figures, so a delivery here stands for either path.
 *
 * Checked: i1 to i6. The ledger forgets nothing, so i7 is in window.pml.
 */
#include "properties.pml"

#ifndef DELIVERIES
#define DELIVERIES 3
#endif
#ifndef FUNCTIONS
#define FUNCTIONS 2
#endif
#ifndef RECEIVES
#define RECEIVES 2
#endif
#ifndef REDRIVES
#define REDRIVES 1
#endif
/* The messages that may arrive, from FIRST to LAST of the table below. */
#ifndef FIRST
#define FIRST 1
#endif
#ifndef LAST
#define LAST 2
#endif

/*
 * All have the same id.
 *   1  device 0, body A
 *   2  device 0, body B under the same id
 *   3  device 1, a message of its own
 *   4  device 1 on the topic of device 0
 */
#define clientOf(m) ((m) >= 3)
#define levelOf(m) ((m) == 3)
#ifdef KEY_WITHOUT_DEVICE
#define keyOf(m) 0
#else
#define keyOf(m) levelOf(m)
#endif

/* Where a delivery is. */
#define ABSENT 0
#define VISIBLE 1
#define TAKEN 2
#define DEAD 3
#define DONE 4

#define NOBODY 7
#define STRANGER 6

/* What a function has to do after the write: forward, quarantine, or only answer. */
#define MINE 1
#define BOOKED 2
#define REFUSED 3

typedef Delivery { byte place; byte message; byte receives };
/* body 0 is no row. */
typedef Row { byte body; byte owner; byte forwards; bool unforwardable };

Delivery delivery[4];
Row row[2];
/* The quarantine, by message; it is keyed by id and hash of the body. */
bool kept[5];
byte arrived = 0;
byte redrives = 0;
/* From this arrival on a message is too old to be booked anew. */
byte lateFrom = DELIVERIES;

/* What the checker remembers, and the bridge does not. */
byte bookings[2];
byte firstBody[2];
byte firstBooker[2];
/* No answer of the store is lost any more. All other faults are bounded by receives. */
#ifdef LIVE
bool calm;
#define MAY(fault) !calm && (fault)
active proctype Weather() { atomic { EVENT("from now on nothing fails\n"); calm = true } }
#define hasEnded(n) (delivery[n].place == DONE || delivery[n].place == DEAD)
ltl live { <> (hasEnded(0) && hasEnded(1)) }
#else
#define MAY(fault) (fault)
#endif
/* Something has been tried more than once, or failed. */
bool disturbed;
#ifdef MARK_FIRST
byte mark[2];
#endif

/* The rule: the channel before it loses (nothing arrives), repeats and reorders (anything does). */
active proctype Rule() {
  byte which;
#ifdef OUT_OF_RANGE
  atomic { select(which : 0 .. DELIVERIES); lateFrom = which; which = 0 }
#endif
end:
  do
  :: atomic {
       arrived < DELIVERIES ->
       select(which : FIRST .. LAST);
       EVENT("a delivery arrives at the rule\n");
       printf("  delivery %d carries message %d\n", arrived, which);
       delivery[arrived].message = which;
       delivery[arrived].place = VISIBLE;
       arrived++;
       which = 0
     }
  od
}

/* Visibility time-out, dead-letter queue, redrive: of any delivery, at any time. */
inline comeBack(n) {
  delivery[n].place == TAKEN ->
    EVENT("visibility time-out: the delivery comes back, its first try may still run\n");
    printf("  delivery %d\n", n);
    delivery[n].place = VISIBLE; disturbed = true
}

inline giveUp(n) {
  delivery[n].place == VISIBLE && delivery[n].receives == RECEIVES ->
    EVENT("received too often: dead letter\n");
    printf("  delivery %d\n", n);
    delivery[n].place = DEAD
}

#if REDRIVES == 0
#define redrive(n) false
#else
inline redrive(n) {
  delivery[n].place == DEAD && redrives < REDRIVES ->
    EVENT("redriven\n");
    printf("  delivery %d\n", n);
    delivery[n].place = VISIBLE; delivery[n].receives = 0; redrives++;
#ifdef TRANSPORT_ID
    /* What moves a dead letter gives it a new message id: its own row is now a stranger's. */
    if
    :: row[keyOf(delivery[n].message)].owner == n && row[keyOf(delivery[n].message)].body > 0 ->
       row[keyOf(delivery[n].message)].owner = STRANGER
    :: else
    fi
#endif
}
#endif

active proctype Queue() {
end:
  do
  :: atomic { comeBack(0) } :: atomic { giveUp(0) } :: atomic { redrive(0) }
  :: atomic { comeBack(1) } :: atomic { giveUp(1) } :: atomic { redrive(1) }
#if DELIVERIES > 2
  :: atomic { comeBack(2) } :: atomic { giveUp(2) } :: atomic { redrive(2) }
#endif
#if DELIVERIES > 3
  :: atomic { comeBack(3) } :: atomic { giveUp(3) } :: atomic { redrive(3) }
#endif
  od
}

#define message(x) delivery[x].message
/* The message that a function handles, and its row. */
#define m message(d)
#define k keyOf(m)
#define canBeTaken(x) (delivery[x].place == VISIBLE && delivery[x].receives < RECEIVES)
/* core/message/coalesce.ts, foldKeyOf: what is out of range is settled by itself. */
#define canBeFolded(x) \
  (x != d && canBeTaken(x) && message(x) == message(d) && d < lateFrom && x < lateFrom)

inline receive(x) {
  delivery[x].place = TAKEN;
  delivery[x].receives++;
  if :: delivery[x].receives > 1 -> disturbed = true; EVENT("a delivery is tried again\n") :: else fi
}

/* A batch of one delivery, or of two copies of one message, which core/message/coalesce.ts makes one write. */
inline take() {
  if
  :: canBeTaken(0) -> d = 0
  :: canBeTaken(1) -> d = 1
#if DELIVERIES > 2
  :: canBeTaken(2) -> d = 2
#endif
#if DELIVERIES > 3
  :: canBeTaken(3) -> d = 3
#endif
  fi;
  receive(d);
  printf("  function %d takes delivery %d\n", _pid, d);
  if
  :: canBeFolded(0) -> e = 0
  :: canBeFolded(1) -> e = 1
#if DELIVERIES > 2
  :: canBeFolded(2) -> e = 2
#endif
#if DELIVERIES > 3
  :: canBeFolded(3) -> e = 3
#endif
  :: true
  fi;
  if :: e != NOBODY -> receive(e); EVENT("two copies in one batch are folded\n") :: else fi
}

inline create() {
  row[k].body = m; row[k].owner = d;
  bookings[k]++;
  I1(bookings[k] == 1);
  I6(clientOf(m) == levelOf(m));
  firstBody[k] = m; firstBooker[k] = d;
  todo = MINE; EVENT("accepted\n"); printf("  delivery %d\n", d)
}

/* core/guarantees/verdict.ts, existingRowVerdict: `own` are all deliveries that were folded into the write. */
inline existingRowVerdict() {
  if
#ifdef FOLD_FIRST_ONLY
  :: row[k].owner == d ->
#else
  :: row[k].owner == d || row[k].owner == e ->
#endif
     todo = MINE; EVENT("resumed\n")
  :: else -> todo = BOOKED; EVENT("duplicate\n")
  fi;
  printf("  delivery %d\n", d)
}

/* What a copy changes in the row stands for nothing here: tries and lastSeenAt. */
inline copy() {
#ifdef SET_OVERWRITES
  row[k].owner = d;
#endif
#ifdef ID_IN_FUNCTION
  /* A try that makes its own delivery id never finds a row of its own. */
  row[k].owner = STRANGER;
#endif
  existingRowVerdict()
}

inline collide() {
#ifdef CONFLICT_OVERWRITES
  row[k].body = m; row[k].owner = d; todo = MINE
#else
#ifdef CONFLICT_AS_DUPLICATE
  todo = BOOKED; EVENT("duplicate\n")
#else
  todo = REFUSED; EVENT("conflict\n"); printf("  delivery %d\n", d)
#endif
#endif
}

/* lambda/adapters/exactly-once.ts, exactlyOnceUpdate: one conditional UpdateItem. */
inline oneWrite() {
  if
  :: row[k].body == 0 || row[k].body == m ->
     if
     :: row[k].body == 0 -> create()
     :: row[k].body == m -> copy()
     fi;
#ifdef DUPLICATE_DELETES_ROW
     if
     :: todo == BOOKED -> row[k].body = 0; row[k].owner = 0
     :: else
     fi
#endif
  :: row[k].body > 0 && row[k].body != m -> collide()
  fi;
  if
  :: row[k].body > 0 ->
     I1(row[k].body == firstBody[k] && row[k].owner == firstBooker[k]);
     I6(clientOf(m) == clientOf(row[k].body))
  :: else
  fi
}

inline forward() {
  EVENT("forwarded\n"); printf("  delivery %d\n", d);
  if :: row[k].forwards < 2 -> row[k].forwards++ :: else fi;
  I4(row[k].body == m && (firstBooker[k] == d || firstBooker[k] == e));
  I4(disturbed || row[k].forwards == 1)
}

/* Whether it arrives is for handshake.pml. */
inline sendReceipt() {
  if
  :: todo == BOOKED -> EVENT("receipt: booked\n"); I3(row[k].body == m)
  :: todo == REFUSED ->
     EVENT("receipt: rejected\n"); I5(kept[m]);
#ifdef STRICT
     I3(row[k].body != m)
#endif
  fi
}

/* The batch is answered: what it names as done leaves the queue. */
inline done(x) {
  I2(row[levelOf(m)].body == m || kept[m]);
  I5(row[levelOf(m)].body == m || kept[m]);
  I4(!(bookings[k] > 0 && firstBooker[k] == x) || row[k].forwards > 0 || row[k].unforwardable);
  if
  :: delivery[x].place == DEAD -> EVENT("done, but it lies among the dead letters\n")
  :: else ->
     EVENT("done\n"); printf("  delivery %d\n", x);
     delivery[x].place = DONE; delivery[x].receives = 0
  fi
}

/* A crash, a time-out, or an error that is tried again: the queue still has the delivery. */
#define CRASH(words) atomic { EVENT(words); disturbed = true; goto idle }

active [FUNCTIONS] proctype Function() {
  byte d = NOBODY, e = NOBODY, todo;
idle:
  atomic { d = NOBODY; e = NOBODY; todo = 0 };
end:
  atomic {
    take();
#ifdef RECEIPT_FIRST
    I3(row[k].body == m);
#endif
#ifdef UNFINISHED_AS_DONE
    if :: EVENT("no time is left\n"); goto answer :: true fi;
#endif
#ifdef TRUST_DUP
    if :: EVENT("the packet has DUP=1\n"); todo = BOOKED; goto answer :: true fi;
#endif
    /* core/message/message.ts, identify: the device of the topic, and the client of the connection. */
#ifndef TRUST_TOPIC
    if
    :: clientOf(m) != levelOf(m) -> EVENT("wrong device\n"); todo = REFUSED; goto quarantine
    :: else
    fi;
#endif
    if :: d < lateFrom -> goto write :: else fi
  };
  /* core/guarantees/exactly-once/deduplicator.ts: an out of range message is looked up before it is refused. */
  if
  :: CRASH("crash before the look-up\n")
#ifdef LATE_UNASKED
  :: atomic { EVENT("late\n"); todo = REFUSED; goto quarantine }
#else
  :: atomic { row[k].body == 0 -> EVENT("late\n"); todo = REFUSED; goto quarantine }
  :: atomic { row[k].body > 0 -> EVENT("late, but its id has a row\n") }
#endif
  fi;
write:
#ifdef MARK_FIRST
  if
  :: atomic { mark[k] == m -> EVENT("duplicate of a mark\n"); todo = BOOKED; goto answer }
  :: atomic { mark[k] != m -> mark[k] = m }
  fi;
#endif
#ifdef FORWARD_FIRST
  atomic { forward() };
#endif
  if
  :: CRASH("crash before the write\n")
  :: atomic {
       oneWrite();
       if
       :: MAY(todo > 0) -> EVENT("the answer of the store is lost: the SDK writes again\n");
          disturbed = true; goto write
       :: todo == MINE -> skip
#ifdef FORWARD_COPIES
       :: todo == BOOKED -> skip
#else
       :: todo == BOOKED -> goto receipt
#endif
#ifdef CONFLICT_DROPPED
       :: todo == REFUSED -> goto receipt
#else
       :: todo == REFUSED -> goto quarantine
#endif
       fi
     }
  fi;
  if
  :: CRASH("crash between write and forward\n")
  :: atomic { forward(); todo = BOOKED; goto receipt }
  :: atomic {
       EVENT("unforwardable: quarantined\n");
       row[k].unforwardable = true; disturbed = true; todo = BOOKED; goto receipt
     }
  fi;
quarantine:
  if
  :: CRASH("crash before the quarantine\n")
  :: atomic { EVENT("quarantined\n"); kept[m] = true }
  fi;
receipt:
  if
  :: CRASH("crash before the receipt\n")
  :: atomic { sendReceipt() }
  fi;
answer:
  if
  :: CRASH("crash after the receipt\n")
  :: atomic { done(d); if :: e != NOBODY -> done(e) :: else fi; goto idle }
  fi
}
