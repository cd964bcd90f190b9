/**
 * What is checked: each model in its bounds, each broken variant of the protocol with the property
 * that it must break, and each limit of the promise, which is shown by a property that goes too far.
 */

export type ModelName = 'record' | 'window' | 'handshake';
/** An invariant of docs/guarantees.md, or that everything ends. */
type Property = 'i1' | 'i2' | 'i3' | 'i4' | 'i5' | 'i6' | 'i7' | 'live';

interface Described {
  readonly model: ModelName;
  /** Unique in its model. */
  readonly name: string;
  /** Names, or `NAME=number`, given to Spin with -D. */
  readonly defines: readonly string[];
  /** What it means, for a person. */
  readonly says: string;
}

/** All properties hold, in a search of every state. */
interface Bound extends Described {
  readonly kind: 'bound';
  readonly isLive?: true;
}

/** The protocol broken in one place, or a promise stretched: the property fails. */
interface Broken extends Described {
  readonly kind: 'variant' | 'limit';
  readonly breaks: Property;
}

export type Check = Bound | Broken;

const bound = (
  model: ModelName,
  name: string,
  defines: string,
  says: string,
  isLive = false,
): Bound => ({
  kind: 'bound',
  model,
  name,
  defines: wordsOf(defines),
  says,
  ...(isLive && { isLive }),
});

const variantsOf =
  (model: ModelName, kind: Broken['kind'] = 'variant') =>
  (name: string, breaks: Property, bounds: string, says: string): Broken => ({
    kind,
    model,
    name,
    breaks,
    defines: [name, ...wordsOf(bounds)],
    says,
  });

function wordsOf(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '');
}

const BOUNDS: readonly Bound[] = [
  bound('record', 'copies', 'DELIVERIES=3 LAST=1 REDRIVES=0', 'three copies of one message'),
  bound('record', 'two bodies', 'DELIVERIES=2', 'two deliveries, of one body or of two'),
  bound(
    'record',
    'two devices',
    'DELIVERIES=2 FIRST=2 LAST=4 REDRIVES=0',
    'the same id from another device, and on the topic of another device',
  ),
  bound('record', 'too old', 'DELIVERIES=2 LAST=1 OUT_OF_RANGE', 'copies that come after maxAge'),
  bound(
    'record',
    'live',
    'DELIVERIES=2 LAST=1 REDRIVES=0 LIVE',
    'every delivery ends done or among the dead letters',
    true,
  ),
  bound('window', 'three copies', 'DELIVERIES=3 FUNCTIONS=1', 'device-made ids, one function'),
  bound('window', 'side by side', 'DELIVERIES=3 TIME_MAX=3', 'device-made ids, two functions'),
  bound('window', 'longer', 'DELIVERIES=2 TIME_MAX=8', 'two copies, two functions, more time'),
  bound('window', 'own time', 'DELIVERIES=2 TIMED TIME_MAX=5', 'the message tells its time'),
  bound(
    'window',
    'error-action path',
    'DELIVERIES=2 FUNCTIONS=1 MARGIN=1 TIME_MAX=6 RESTAMPED',
    'each try takes its own time for the arrival',
  ),
  bound(
    'window',
    'content, three',
    'DELIVERIES=3 FUNCTIONS=1 CONTENT',
    'ids by content hash, one function',
  ),
  bound('window', 'content', 'DELIVERIES=2 CONTENT', 'ids by content hash, two functions'),
  bound('window', 'two bodies', 'DELIVERIES=2 OTHER_BODY TIME_MAX=4', 'another body under the id'),
  bound('window', 'release', 'DELIVERIES=2 RELEASE TIME_MAX=4', 'released, two functions'),
  bound(
    'window',
    're-use',
    'DELIVERIES=3 FUNCTIONS=1 RELEASE REUSE TIME_MAX=5',
    'released, and the id used again',
  ),
  bound('handshake', 'short', 'MESSAGES=2 ASK', 'short handshake, an id for each message'),
  bound('handshake', 'short, re-use', 'MESSAGES=2 REUSE ASK', 'short handshake, one id for both'),
  bound('handshake', 'full', 'MESSAGES=2 FULL FORGET', 'full handshake, an id for each message'),
  bound(
    'handshake',
    'full, ledger, re-use',
    'MESSAGES=2 FULL REUSE ASK',
    'full handshake, one id for both, rows that stay',
  ),
  bound(
    'handshake',
    'full, re-use',
    'MESSAGES=2 FULL FORGET REUSE ASK',
    'full handshake, one id for both, rows that are forgotten',
  ),
  bound(
    'handshake',
    'live, short',
    'MESSAGES=2 REUSE LIVE',
    'every message ends booked or set aside',
    true,
  ),
  bound(
    'handshake',
    'live, full',
    'MESSAGES=2 FULL FORGET REUSE LIVE',
    'every message ends completed or set aside',
    true,
  ),
];

/** Run with --large instead of those above of the same name, or beside them. */
const LARGE_BOUNDS: readonly Bound[] = [
  bound('record', 'copies', 'DELIVERIES=3 LAST=1', 'three copies of one message, redriven'),
  bound('record', 'all messages', 'DELIVERIES=2 LAST=4', 'two deliveries of any of four messages'),
  bound('window', 'side by side', 'DELIVERIES=3 TIME_MAX=5', 'device-made ids, two functions'),
  bound('window', 'own time', 'DELIVERIES=2 TIMED TIME_MAX=8', 'the message tells its time'),
  bound('window', 'content', 'DELIVERIES=3 CONTENT TIME_MAX=4', 'ids by content hash'),
  bound('window', 'wider', 'DELIVERIES=2 WINDOW=2 LIFE=5 TIME_MAX=10', 'other figures'),
  bound('window', 'release', 'DELIVERIES=2 RELEASE TIME_MAX=6', 'released, two functions'),
];

const record = variantsOf('record');
const RECORD_VARIANTS: readonly Broken[] = [
  record('MARK_FIRST', 'i2', 'DELIVERIES=2', 'the mark is written before the row'),
  record('TRUST_DUP', 'i2', 'DELIVERIES=2', 'a packet with DUP=1 is taken for a copy'),
  record('UNFINISHED_AS_DONE', 'i2', 'DELIVERIES=2', 'what is unfinished is reported as done'),
  record('DUPLICATE_DELETES_ROW', 'i1', 'DELIVERIES=2', 'a duplicate deletes the row'),
  record('SET_OVERWRITES', 'i1', 'DELIVERIES=2', 'an attribute is SET without if_not_exists'),
  record('CONFLICT_OVERWRITES', 'i1', 'DELIVERIES=2', 'the write has no condition on the body'),
  record('CONFLICT_AS_DUPLICATE', 'i5', 'DELIVERIES=2', 'a conflict is answered duplicate'),
  record('CONFLICT_DROPPED', 'i5', 'DELIVERIES=2', 'a conflict is answered and not kept'),
  record('RECEIPT_FIRST', 'i3', 'DELIVERIES=2', 'the receipt goes out before the write'),
  record('ID_IN_FUNCTION', 'i4', 'DELIVERIES=2', 'the deliveryId is made in the function'),
  record('TRANSPORT_ID', 'i4', 'DELIVERIES=2', "the queue's message id is the deliveryId"),
  record('FOLD_FIRST_ONLY', 'i4', 'DELIVERIES=2', 'a fold knows the id of its first copy alone'),
  record('FORWARD_COPIES', 'i4', 'DELIVERIES=2', 'a duplicate is forwarded as well'),
  record('FORWARD_FIRST', 'i4', 'DELIVERIES=2', 'the forward goes out before the write'),
  record('KEY_WITHOUT_DEVICE', 'i6', 'DELIVERIES=2 FIRST=2 LAST=4', 'the key has no device in it'),
  record('TRUST_TOPIC', 'i6', 'DELIVERIES=2 FIRST=2 LAST=4', 'clientid() is not asked'),
];

const window = variantsOf('window');
const WINDOW_VARIANTS: readonly Broken[] = [
  window(
    'NOT_REFRESHED',
    'i7',
    'DELIVERIES=3 FUNCTIONS=1 TIME_MAX=4',
    'a copy of a device-made id does not push the window out',
  ),
  window('PULLED_BACK', 'i7', 'DELIVERIES=3 FUNCTIONS=1 TIME_MAX=4', 'a push can pull back'),
  window('FUNCTION_CLOCK', 'i7', 'DELIVERIES=2', "the window uses the function's clock"),
  window('FORGET_WITHOUT_L', 'i7', 'DELIVERIES=2', 'rows are forgotten at the end of the window'),
  window('NO_LATENESS', 'i7', 'DELIVERIES=2', 'a delivery older than L is not late'),
  window('NO_MARGIN', 'i7', 'DELIVERIES=2', 'no time is left between the look and the write'),
  window('RENEW_UNCONDITIONAL', 'i7', 'DELIVERIES=3 TIME_MAX=3', 'a renewal has no condition'),
  window('RENEW_BY_OWNER', 'i7', 'DELIVERIES=3 TIME_MAX=3', 'a renewal does not ask for the end'),
  window('LATE_WRITES', 'i7', 'DELIVERIES=3 FUNCTIONS=1 TIME_MAX=5', 'what is late may make a row'),
  window('NO_OWN_TIME', 'i1', 'DELIVERIES=2 FUNCTIONS=1 TIMED', "the message's time is not asked"),
  window(
    'STRANGER_TO_ITSELF',
    'i1',
    'DELIVERIES=2 FUNCTIONS=1 MARGIN=1 TIME_MAX=6 RESTAMPED',
    'a try that comes after its own window does not know its row',
  ),
  window('TTL_DECIDES', 'i2', 'DELIVERIES=2 CONTENT', 'a row that stands is an open window'),
  window(
    'CONTENT_PUSHED',
    'i2',
    'DELIVERIES=3 FUNCTIONS=1 CONTENT TIME_MAX=4',
    'equal content pushes the window out',
  ),
  window('OLDER_SWALLOWED', 'i2', 'DELIVERIES=2 CONTENT', 'an older event is a copy of a later'),
  window(
    'CONFLICT_AS_DUPLICATE',
    'i3',
    'DELIVERIES=2 FUNCTIONS=1 OTHER_BODY',
    'a conflict is answered duplicate',
  ),
  window('RELEASE_WITHOUT_L', 'i7', 'DELIVERIES=2 FUNCTIONS=1 RELEASE', 'released is forgotten'),
  window(
    'RELEASE_BEFORE_PUBACK',
    'i7',
    'DELIVERIES=2 FUNCTIONS=1 RELEASE',
    'the device releases what it may still send',
  ),
];

const handshake = variantsOf('handshake');
const FULL_REUSE = 'MESSAGES=2 FULL FORGET REUSE';
const HANDSHAKE_VARIANTS: readonly Broken[] = [
  handshake('DROP_AT_PUBACK', 'i2', '', 'the device drops a message at PUBACK'),
  handshake('OUTBOX_IN_MEMORY', 'i2', '', 'the outbox is lost with the program'),
  handshake('RECEIPT_NAMES_ID', 'i2', 'MESSAGES=2 REUSE', 'a receipt names an id only'),
  handshake('RECEIPT_FIRST', 'i3', '', 'the receipt goes out before the write'),
  handshake('QUERY_BY_ID', 'i3', 'MESSAGES=2 REUSE ASK', 'a query asks for the id alone'),
  handshake('RELEASE_STUB', 'i5', FULL_REUSE, 'release writes a stub row'),
  handshake('RELEASE_BEFORE_PUBACK', 'i7', 'FULL FORGET', 'release goes out before PUBACK'),
  handshake('FORGET_AT_RELEASE', 'i7', 'FULL FORGET', 'a released row is forgotten at once'),
  handshake('RELEASE_LATER_LIFE', 'i7', FULL_REUSE, 'a late release marks the next life'),
  handshake('NO_RESEND', 'live', 'LIVE', 'a message is sent once'),
  handshake('RELEASE_ONCE', 'live', 'FULL LIVE', 'a release is sent once'),
  handshake('COMPLETED_FOR_ROW_ONLY', 'live', 'FULL FORGET LIVE', 'completed needs a row'),
  handshake('CONFLICT_SILENT', 'live', 'MESSAGES=2 REUSE LIVE', 'a conflict is not answered'),
];

const LIMITS: readonly Broken[] = [
  variantsOf('record', 'limit')(
    'STRICT',
    'i3',
    'DELIVERIES=2 LAST=1 OUT_OF_RANGE',
    'a late copy that overtakes its message in the queue is answered rejected, and booked after all',
  ),
  variantsOf('window', 'limit')(
    'STRICT',
    'i7',
    'DELIVERIES=3 FUNCTIONS=1 TIME_MAX=5',
    'a copy pushes the window when it is handled, not when it arrives',
  ),
];

/** All checks, in the order in which they are told. */
export function checksOf(isLarge: boolean): readonly Check[] {
  const bounds = isLarge
    ? [...BOUNDS.filter((each) => !LARGE_BOUNDS.some((it) => isSame(it, each))), ...LARGE_BOUNDS]
    : BOUNDS;
  return [...bounds, ...RECORD_VARIANTS, ...WINDOW_VARIANTS, ...HANDSHAKE_VARIANTS, ...LIMITS];
}

function isSame(one: Check, other: Check): boolean {
  return one.model === other.model && one.name === other.name;
}

/**
 * Statements that no bound reaches, and why that is right. Anything else that is not reached fails
 * the run: a model that cannot get somewhere says nothing of what would happen there.
 */
export const NEVER_REACHED: readonly {
  readonly model: ModelName;
  readonly text: RegExp;
  readonly why: string;
}[] = [
  {
    model: 'window',
    text: /\(!\(0\)\|\|\(row\.end/,
    why: 'a window of equal content is never pushed',
  },
  {
    model: 'handshake',
    text: /row\[\(b-1\)\]!=7/,
    why: 'a message with an id of its own meets no other body',
  },
];
