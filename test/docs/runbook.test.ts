/**
 * Goal: whoever an alarm calls finds its section, and what stands there can be done. Method: sections
 * and alarms are held against each other, and names in commands against the templates.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defineConfig } from '../../core/config/route.ts';
import { ALARM_KINDS, type AlarmWhat } from '../../core/operations/alarm-kinds.ts';
import { alarmRule, RUNBOOK } from '../../core/operations/alarms.ts';
import config from '../../tollbridge.config.ts';
import { resourcesOf, templatesOf } from '../infra/templates.ts';

const text = readFileSync(RUNBOOK, 'utf8');
const whats = Object.keys(ALARM_KINDS) as readonly AlarmWhat[];

/** Sections of one depth below a heading of the next higher one, by their headings. */
function sectionsOf(chapter: string): ReadonlyMap<string, string> {
  const body = text.split(/^## /m).find((each) => each.startsWith(`${chapter}\n`));
  if (body === undefined) throw new Error(`the runbook has no chapter ${chapter}`);
  const sections = body.split(/^### /m).slice(1);
  return new Map(sections.map((each) => [each.slice(0, each.indexOf('\n')), each]));
}

const alarms = sectionsOf('Alarms');
const procedures = sectionsOf('Procedures');

describe('the runbook', () => {
  it('has a section for every alarm, and under alarms none besides', () => {
    expect([...alarms.keys()]).toEqual(whats);
  });

  it('tells what else is asked of it: stop, restore, upgrade, move', () => {
    expect([...procedures.keys()]).toEqual([
      'A full stop',
      'Restoring a table',
      'Upgrading',
      'Moving to another Region',
    ]);
  });

  it.each(whats)('says of %s when it fires, what it means, how to look and how to mend', (what) => {
    const section = alarms.get(what) ?? '';
    expect(section).toContain(`\n\n${alarmRule(what)}\n`);
    const parts = ['Means', 'Look', 'Mend'].map((part) => section.indexOf(`**${part}.**`));
    expect(parts).toEqual(parts.toSorted((one, other) => one - other));
    expect(Math.min(...parts)).toBeGreaterThan(0);
    // Text breaks lines where it likes.
    expect(section.replaceAll(/\s+/g, ' ')).toContain(ALARM_KINDS[what].meaning);
  });

  it('links only what is there', () => {
    const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((link) => !anchors.includes(link ?? ''))).toEqual([]);
  });
});

describe('commands in the runbook', () => {
  const built = templatesOf(config);
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);

  it('ask for outputs that the stacks have', () => {
    const templates = { State: built.stateTemplate, Ingest: built.ingestTemplate };
    const asked = [
      ...text.matchAll(/\$\(output "\$STACK-(State|Ingest)" "?(?:\$\{ROUTE\^\})?(\w+)"?\)/g),
    ];
    expect(asked.length).toBeGreaterThanOrEqual(4);
    for (const [, stack = '', name = ''] of asked) {
      const { Outputs } = templates[stack as keyof typeof templates].toJSON();
      const names = Object.keys(Outputs);
      expect(names.some((each) => each === name || each === `Charges${name}`)).toBe(true);
    }
  });

  it('find the one function and the one log that they are about', () => {
    const asked = [...text.matchAll(/\$\(resource (AWS::\w+::\w+) "?([\w${}^]+)"?\)/g)];
    expect(asked).toHaveLength(3);
    for (const [, type = '', written = ''] of asked) {
      const prefix = written.replace(`\${ROUTE^}`, 'Charges');
      const found = resourcesOf(built.ingestTemplate, type).filter(({ id }) =>
        id.startsWith(prefix),
      );
      expect([prefix, found.length]).toEqual([prefix, 1]);
    }
  });

  it('name the rule as the template does', () => {
    expect(text).toContain(`"\${BRIDGE}_$ROUTE"`);
    const [rule] = resourcesOf(built.ingestTemplate, 'AWS::IoT::TopicRule');
    expect(rule?.properties.RuleName).toBe('tollbridge_charges');
  });

  it('use variables that are set before, or in the same block', () => {
    const before = blocks.find((block) => block.includes('BRIDGE=tollbridge')) ?? '';
    const setIn = (block: string) => [...block.matchAll(/\b([A-Z_]+)=/g)].map(([, name]) => name);
    const procedure = blocks.flatMap((block) => (block.includes('UUID=') ? setIn(block) : []));
    const known = [...setIn(before), ...procedure];
    for (const block of blocks) {
      const used = [...block.matchAll(/\$\{?([A-Z_]{2,})\b/g)].map(([, name]) => name);
      const unknown = used.filter((name) => ![...known, ...setIn(block)].includes(name));
      expect([block, unknown]).toEqual([block, []]);
    }
  });

  it('are commands of the bridge that exist by these names', () => {
    const actions = 'list|show|accept|discard|redrive';
    const written = text.matchAll(
      new RegExp(`\\btollbridge ([a-z]+(?:-[a-z]+)*)(?: (${actions}))?`, 'g'),
    );
    const commands = [...written].map(([, command = '', action]) =>
      action === undefined ? command : `${command} ${action}`,
    );
    const known = [
      'doctor',
      'trace',
      'gaps',
      'copies',
      'forward-again',
      'quarantine list',
      'quarantine show',
      'quarantine accept',
      'quarantine discard',
      'dead-letters list',
      'dead-letters redrive',
    ];
    expect(new Set(commands)).toEqual(new Set(known));
  });

  it('shows options of alarms that the configuration takes', () => {
    const [, shown = ''] = /```ts\n(alarms: \{[\s\S]*?)```/.exec(text) ?? [];
    const read = new Function(`return { ${shown} }.alarms;`);
    const { ops } = templatesOf(defineConfig({ ...config, alarms: read() }));
    expect(ops.stackName).toBe('Tollbridge-Ops');
  });
});
