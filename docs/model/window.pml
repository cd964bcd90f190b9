/*
 * A windowed row: when a copy counts as one, when a row may be forgotten, and what a release may
 * shorten. Times are small integers: the rule's clock stamps arrivals, the function's clock is the
 * same, and the sweep of the store takes a row at any time from `expires` on, or never.
 *
 * A delivery may be handled at any time after its arrival and as often as one likes: queue,
 * dead-letter queue and redrive of record.pml, without bound. A function that has begun ends within
 * MARGIN ticks, or is ended by its time-out.
 *
 * Kinds of route: device-made ids whose copies push the end out (the default here), the same with a
 * time in the message (-DTIMED), and ids by content hash, where the end stays (-DCONTENT).
 *
 * Checked: i1, i2, i3, i5, i7.
 */
#include "properties.pml"

#ifndef DELIVERIES
#define DELIVERIES 3
#endif
#ifndef FUNCTIONS
#define FUNCTIONS 2
#endif
#ifndef TIME_MAX
#define TIME_MAX 6
#endif
#ifndef WINDOW
#define WINDOW 1
#endif
/* L: what a delivery is given to be handled in. */
#ifndef LIFE
#define LIFE 3
#endif
/* How long a function may run. */
#ifndef MARGIN
#define MARGIN 2
#endif
/* How far the message's own time may lie ahead of the rule's clock. */
#ifndef AHEAD
#define AHEAD 1
#endif

#define ABSENT 0
#define QUEUED 1
#define DONE 2
#define NOBODY 7

typedef Delivery { byte place; byte message; byte received };
typedef Row { byte body; byte owner; byte received; byte end; byte expires };
/* What a function has read of the row. */
typedef Seen { byte body; byte owner; byte end };

byte now = 0;
Delivery delivery[4];
#ifdef RESTAMPED
byte entered[4];
#endif
/* body 0 is no row. */
Row row;
byte arrived = 0;
/* When each function began; NEVER where it is idle. */
#define NEVER 255
byte began[2] = NEVER;
/* What each function handles. */
byte handled[2] = NOBODY;
/* The time that message 1 itself tells. */
byte ownTime = 0;
/* The device has heard that message 1 is booked. */
bool told;
/* The rule's clock at the release of message 1; NEVER until then. */
byte releasedAt = NEVER;
bool completed;

/* What the checker remembers: until when the bridge has said that copies are known; 0 for never. */
byte promised[3];
byte accepted;
bool kept[4];
/* A delivery has been counted as new. */
bool opened[4];
#ifdef STRICT
/* Arrivals no further than WINDOW from the one before are one run of copies. */
byte runEnd = 0;
byte runs = 0;
byte runOf[4];
byte acceptedIn[4];
#endif

/* The device's rules 4 and 5: nothing is sent under the id after its release. */
#ifdef RELEASE_BEFORE_PUBACK
#define mayArrive1 true
#else
#define mayArrive1 (releasedAt == NEVER)
#endif

inline arrive(which) {
  EVENT("a delivery arrives at the rule\n");
  printf("  %d: delivery %d carries message %d\n", now, arrived, which);
  delivery[arrived].message = which;
  delivery[arrived].received = now;
#ifdef RESTAMPED
  entered[arrived] = now;
#endif
  delivery[arrived].place = QUEUED;
#ifdef STRICT
  if
  :: arrived == 0 || now > runEnd -> runs++
  :: else
  fi;
  runEnd = now + WINDOW; runOf[arrived] = runs;
#endif
  arrived++
}

active proctype Device() {
#ifdef TIMED
  byte t;
  atomic { select(t : 0 .. 3); ownTime = t; t = 0; printf("  the message's own time is %d\n", ownTime) }
#endif
end:
  do
  :: atomic { arrived < DELIVERIES && mayArrive1 -> arrive(1) }
#ifdef OTHER_BODY
  :: atomic { arrived < DELIVERIES && mayArrive1 -> arrive(2) }
#endif
#ifdef RELEASE
  :: atomic {
       told && releasedAt == NEVER ->
       releasedAt = now; EVENT("released\n"); printf("  at %d\n", now)
     }
#endif
#ifdef REUSE
  /* A new life of the id: the device has heard `completed` first, so time has passed. */
  :: atomic {
       arrived < DELIVERIES && completed && now > releasedAt ->
       EVENT("the id is used again\n"); arrive(2)
     }
#endif
  od
}

/* lambda/adapters/releases.ts, createDedupRecordsReleases: at any time after it, as often as you like. */
active proctype Handshake() {
end:
  do
  :: atomic {
       releasedAt != NEVER ->
       if
#ifdef RELEASE_LATER_LIFE
       :: row.body > 0 && row.expires > releasedAt + LIFE ->
#else
       :: row.body > 0 && row.received <= releasedAt && row.expires > releasedAt + LIFE ->
#endif
          EVENT("the release shortens the life of the row\n");
#ifdef RELEASE_WITHOUT_L
          row.expires = releasedAt
#else
          row.expires = releasedAt + LIFE
#endif
       :: else -> EVENT("the release changes nothing\n")
       fi;
       completed = true
     }
  od
}

active proctype Store() {
end:
  do
  :: atomic {
       row.body > 0 && now >= row.expires ->
       EVENT("the sweep forgets the row\n"); printf("  at %d\n", now);
       row.body = 0; row.owner = 0; row.received = 0; row.end = 0; row.expires = 0
     }
  od
}

#define hasTime(f) (began[f] == NEVER || now + 1 < began[f] + MARGIN)

active proctype Clock() {
end:
  do
  :: atomic { now < TIME_MAX && hasTime(0) && hasTime(1) -> now++ }
  od
}

#define d handled[self]
#define m delivery[d].message
#ifdef FUNCTION_CLOCK
#define myTime now
#else
#define myTime delivery[d].received
#endif
#ifdef TIMED
#define begin (myTime > ownTime -> myTime : ownTime)
#define isEarly (ownTime > myTime + AHEAD)
#ifdef NO_OWN_TIME
#define isLate false
#else
#define isLate (ownTime + WINDOW < myTime)
#endif
#else
#define begin myTime
#define isEarly false
#define isLate false
#endif
#define myEnd (begin + WINDOW)
#ifdef FORGET_WITHOUT_L
#define expiryOf(end) (end)
#else
#define expiryOf(end) ((end) + LIFE)
#endif
#ifdef NO_MARGIN
#define HANDLED_WITHIN LIFE
#else
#define HANDLED_WITHIN (LIFE - MARGIN)
#endif
#ifdef NO_LATENESS
#define isTooOld false
#else
#define isTooOld (now > delivery[d].received + HANDLED_WITHIN)
#endif
#if defined(CONTENT) && !defined(CONTENT_PUSHED)
#define PUSHED false
#else
#define PUSHED true
#endif

#ifdef TTL_DECIDES
#define isOpen(end) true
#else
#define isOpen(end) (end >= myTime)
#endif
#ifdef OLDER_SWALLOWED
#define isOfLaterEvent(end) false
#else
#define isOfLaterEvent(end) (!PUSHED && end > myEnd + WINDOW)
#endif
#ifdef PULLED_BACK
#define endsNoLater(end) true
#else
#define endsNoLater(end) (!PUSHED || end <= myEnd)
#endif

/* The bridge counts it as new. */
inline acceptedNow() {
  EVENT("accepted\n"); printf("  %d: delivery %d\n", now, d);
#ifdef STRICT
  acceptedIn[runOf[d]]++; I7(acceptedIn[runOf[d]] == 1);
#else
  I7(promised[m] == 0 || delivery[d].received + 1 > promised[m]);
#endif
#ifdef TIMED
  accepted++; I1(accepted == 1);
#endif
  I1(!opened[d]); opened[d] = true;
  promise(); told = told || m == 1
}

/* Ends are kept plus one, so that 0 is never. */
inline promise() {
  if
  :: promised[m] < myEnd + 1 -> promised[m] = myEnd + 1
  :: else
  fi
}

inline write() {
  row.body = m; row.owner = d; row.received = delivery[d].received;
  row.end = myEnd; row.expires = expiryOf(row.end)
}

/* The row has another owner, or mine. */
inline copyOf(owner_, end_) {
  if
  :: owner_ == d -> EVENT("resumed\n")
  :: owner_ != d ->
     EVENT("duplicate\n");
#ifdef CONTENT
     /* Equal content more than a window apart is another event, which must not be swallowed. */
     I2(delivery[d].received <= end_ && end_ <= delivery[d].received + 2 * WINDOW);
#endif
  fi;
  printf("  %d: delivery %d\n", now, d);
  told = told || m == 1
}

inline look() { seen.body = row.body; seen.owner = row.owner; seen.end = row.end }
inline forget() { seen.body = 0; seen.owner = 0; seen.end = 0 }
inline keep() { printf("  %d: delivery %d\n", now, d); kept[d] = true; forget() }

/* Before it answers, the queue still has the delivery. */
#define CRASH atomic { EVENT("crash\n"); goto idle }

active [FUNCTIONS] proctype Function() {
  Seen seen;
  byte self = _pid - 4;
idle:
  atomic { d = NOBODY; forget(); began[self] = NEVER };
end:
  atomic {
    if
    :: delivery[0].place == QUEUED -> d = 0
    :: delivery[1].place == QUEUED -> d = 1
#if DELIVERIES > 2
    :: delivery[2].place == QUEUED -> d = 2
#endif
#if DELIVERIES > 3
    :: delivery[3].place == QUEUED -> d = 3
#endif
    fi;
    began[self] = now;
#ifdef RESTAMPED
    /* The error-action path's envelope tells no time: each direct try takes its own for the arrival, as
       long as Lambda's own queue tries it, which is a part of LIFE. Then it is a dead letter, whose
       time is kept. */
    if
    :: now <= entered[d] + HANDLED_WITHIN -> delivery[d].received = now
    :: else -> delivery[d].received = entered[d]
    fi;
#endif
    printf("  %d: function %d takes delivery %d\n", now, self, d);
    /* core/guarantees/deduplicated/deduplicator.ts, lateness: only ever to refuse. */
    if
    :: isTooOld || isLate || isEarly -> skip
    :: else -> goto admit
    fi
  };
  if
  :: CRASH
#ifdef LATE_WRITES
  :: atomic { row.body > 0 && isOpen(row.end) -> goto admit }
#else
  :: atomic { row.body > 0 && isOpen(row.end) -> look(); EVENT("late, but its window is open\n"); goto standing }
#endif
  :: atomic { row.body == 0 || !isOpen(row.end) -> EVENT("late or early\n"); keep(); goto answer }
  fi;
admit:
  /* lambda/adapters/deduplicated.ts, deduplicatedUpdate. */
  if
  :: CRASH
  :: atomic { row.body == 0 -> write(); acceptedNow(); goto answer }
  :: atomic {
       row.body == m && isOpen(row.end) && endsNoLater(row.end) && !isOfLaterEvent(row.end) ->
       if
#ifdef NOT_REFRESHED
       :: false
#else
       :: PUSHED -> row.end = myEnd; row.expires = expiryOf(row.end)
#endif
       :: else
       fi;
#ifndef CONTENT
       promise();
#endif
       copyOf(row.owner, row.end); goto answer
     }
  :: atomic {
       row.body > 0 && !(row.body == m && isOpen(row.end) && endsNoLater(row.end) && !isOfLaterEvent(row.end)) ->
       look();
       if
#ifdef STRANGER_TO_ITSELF
       :: isOpen(seen.end) -> goto standing
#else
       :: isOpen(seen.end) || seen.owner == d -> goto standing
#endif
       :: else -> EVENT("its window is over\n")
       fi
     }
  fi;
  /* windowRenewal: a fresh row, unless the old one has changed meanwhile. */
  if
  :: CRASH
#ifdef RENEW_UNCONDITIONAL
  :: atomic { write(); acceptedNow(); goto answer }
#else
#ifdef RENEW_BY_OWNER
  :: atomic { row.body > 0 && row.owner == seen.owner -> write(); acceptedNow(); goto answer }
#else
  :: atomic {
       row.body > 0 && row.owner == seen.owner && row.end == seen.end ->
       write(); acceptedNow(); EVENT("renewed\n"); goto answer
     }
#endif
  :: atomic {
       row.body == 0 || row.owner != seen.owner || row.end != seen.end ->
       EVENT("the row changed hands meanwhile\n"); forget(); goto admit
     }
#endif
  fi;
standing:
  /* decideStanding, with the row as it was read. */
  if
  :: CRASH
  :: atomic { isOfLaterEvent(seen.end) -> EVENT("overtaken by a later event\n"); keep(); goto answer }
#ifdef CONFLICT_AS_DUPLICATE
  :: atomic { !isOfLaterEvent(seen.end) && seen.body != m -> I3(seen.body == m); goto answer }
#else
  :: atomic {
       !isOfLaterEvent(seen.end) && seen.body != m -> I5(seen.body > 0); EVENT("conflict\n"); keep(); goto answer
     }
#endif
  :: atomic {
       !isOfLaterEvent(seen.end) && seen.body == m ->
       if
       :: PUSHED && !isEarly && seen.end < myEnd ->
          if
          :: row.body > 0 && row.owner == seen.owner && endsNoLater(row.end) ->
             EVENT("pushed\n"); row.end = myEnd; row.expires = expiryOf(row.end)
          :: else -> EVENT("the push finds another row\n")
          fi
       :: else -> EVENT("counted\n")
       fi;
#ifndef CONTENT
       if :: isTooOld || isLate || isEarly :: else -> promise() fi;
#endif
       I3(seen.body == m);
       copyOf(seen.owner, seen.end); forget()
     }
  fi;
answer:
  if
  :: CRASH
  :: atomic {
       I2(promised[m] > 0 || kept[d]);
       delivery[d].place = DONE;
       /* What nobody looks at any more is set to one value: fewer states, the same behaviour. */
       if
       :: handled[1 - self] != d ->
          delivery[d].message = 0; delivery[d].received = 0; kept[d] = false; opened[d] = false
       :: else
       fi;
       goto idle
     }
  fi
}
