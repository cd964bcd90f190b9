/** README and the documents name commands, files and documents that are there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const readme = readFileSync('README.md', 'utf8');
const documents = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

describe('README', () => {
  it('names the commands that CI runs', () => {
    for (const command of ['npm ci', 'npm run demo', 'npm test', 'npm run verify', 'npm start']) {
      expect(readme).toContain(command);
    }
  });

  it('links documents that exist', () => {
    for (const [, path] of readme.matchAll(/\]\(([^)#]+)\)/g)) {
      expect(() => readFileSync(path ?? ''), path).not.toThrow(/ENOENT/);
    }
  });

  it.each(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...documents])(
    '%s names files that exist',
    (document) => {
      const text = readFileSync(document, 'utf8');
      const named = [
        ...text.matchAll(
          /`((?:test|core|lambda|lib|local|cli|bin|device|proofs|tools|bench)\/[\w./-]*)`/g,
        ),
      ];
      for (const [, path = ''] of named) expect(existsSync(path), path).toBe(true);
    },
  );
});

describe('the shelves of docs/README.md', () => {
  const shelves = readFileSync('docs/README.md', 'utf8');
  const links = [...shelves.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => join('docs', path));

  it('hold documents that exist, each once', () => {
    for (const path of links) expect(existsSync(path), path).toBe(true);
    expect(links).toEqual([...new Set(links)]);
  });

  it('hold every document', () => {
    const lone = documents.filter((path) => !links.includes(path) && !path.startsWith('docs/adr/'));
    expect(lone).toEqual(['docs/README.md']);
  });
});
