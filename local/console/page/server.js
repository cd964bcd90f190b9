/** What the page asks the server, and the token that changes need. */

const KEY = 'tollbridge-token';

/** A token in the fragment was never sent to a server; it leaves the address bar at once. */
export function takeTokenFromAddress() {
  const [, token] = /^#token=([\w-]{1,200})$/.exec(location.hash) ?? [];
  if (token === undefined) return undefined;
  history.replaceState(null, '', location.pathname);
  return token;
}

/** Kept for this tab alone, until it is closed. */
export const token = {
  get: () => sessionStorage.getItem(KEY) ?? undefined,
  keep: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

/** Asks; throws an Error whose message can be shown. */
export async function ask(path, query = {}) {
  const parameters = new URLSearchParams(query);
  const search = parameters.size === 0 ? '' : `?${parameters}`;
  return answerOf(await fetch(`${path}${search}`, { headers: { accept: 'application/json' } }));
}

/** Changes something with the token that is kept, or with this one. */
export async function change(path, wish, given = token.get()) {
  return answerOf(
    await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${given ?? '-'}` },
      body: JSON.stringify(wish),
    }),
  );
}

export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function answerOf(response) {
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Refused(answer.error ?? `The server answered ${response.status}.`, response.status);
}
