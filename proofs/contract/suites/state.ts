/** What any store under the state, the newest value of each topic, must do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import type { LatestWrite } from '../../../core/guarantees/latest/row.ts';
import { bodyWith, NOW, stateRouteOf, stateWrite } from '../../../tools/handlers/samples.ts';
import type { Engine } from '../../../tools/stores/engines.ts';

export function stateContract(name: string, makeEngine: () => Promise<Engine>): void {
  describe(`${name} as the state`, () => {
    let engine: Engine;
    let devices = 0;

    beforeAll(async () => {
      engine = await makeEngine();
    });
    afterAll(async () => engine.close());

    const freshDevice = () => `device-${++devices}`;
    const newsOf = (device: string, version: number, deliveryId: string, kWh = '1') => {
      const body = bodyWith({ at: String(version), kWh });
      const topic = `billing/${device}/charges`;
      const changes = { deliveryId, topic, clientId: device };
      return stateWrite(body, changes, stateRouteOf(), epochMillis(NOW + version));
    };
    const item = ({ key }: LatestWrite) => engine.item('state', key);

    it('takes a first value, however old, in exactly the attributes of its row version', async () => {
      const write = newsOf(freshDevice(), -8_640_000_000_000_000, 'a');
      expect(await engine.state.put(write)).toEqual({ kind: 'written' });
      expect(await item(write)).toMatchObject({
        firstDeliveryId: { S: 'a' },
        version: { N: '-8640000000000000' },
      });
      const names = [...Object.keys(write.first), 'pk', 'id', 'tries', 'lastSeenAt'];
      expect(Object.keys(await item(write)).sort()).toEqual(names.sort());
    });

    it('replaces an older value in every attribute, be it a millisecond older', async () => {
      const device = freshDevice();
      const old = { ...newsOf(device, 7, 'a'), tries: 5 };
      await engine.state.put(old);
      await engine.age('state', old.key, 'keyVersion');
      const newer = newsOf(device, 8, 'b', '2');
      expect(await engine.state.put(newer)).toEqual({ kind: 'written' });
      expect(await item(newer)).toMatchObject({
        rowVersion: { N: '1' },
        firstDeliveryId: { S: 'b' },
        tries: { N: '1' },
        version: { N: '8' },
      });
      const fresh = newsOf(freshDevice(), 8, 'b', '2');
      await engine.state.put(fresh);
      expect(Object.keys(await item(newer)).sort()).toEqual(Object.keys(await item(fresh)).sort());
      expect((await item(newer)).body).toEqual({ S: newer.first.body });
    });

    it.each([
      ['an equal one', 7],
      ['an older one', 6],
    ])('refuses %s with the row that stands, which is left alone', async (_, version) => {
      const device = freshDevice();
      const standing = newsOf(device, 7, 'a');
      await engine.state.put(standing);
      const before = await item(standing);
      for (const later of [
        newsOf(device, version, 'b', '2'),
        newsOf(device, version, 'b'),
        newsOf(device, version, 'a'),
      ]) {
        expect(await engine.state.put(later)).toMatchObject({
          kind: 'refused',
          row: { firstDeliveryId: 'a', version: 7, body: standing.first.body },
        });
      }
      expect(await item(standing)).toEqual(before);
    });

    it('compares versions as numbers, never as text', async () => {
      const device = freshDevice();
      for (const version of [-10, -9, 9, 10, 100]) {
        const { kind } = await engine.state.put(newsOf(device, version, `v${version}`));
        expect(kind, String(version)).toBe('written');
      }
      expect((await engine.state.put(newsOf(device, 99, 'old'))).kind).toBe('refused');
    });

    it('ends with the newest of 50 concurrent values, in whatever order they come', async () => {
      const device = freshDevice();
      const versions = Array.from({ length: 50 }, (_, n) => (n * 7) % 50);
      await Promise.all(
        versions.map((version) => engine.state.put(newsOf(device, version, `v${version}`))),
      );
      expect(await item(newsOf(device, 0, 'x'))).toMatchObject({
        version: { N: '49' },
        firstDeliveryId: { S: 'v49' },
      });
    });

    it('keeps topics and devices apart', async () => {
      const one = freshDevice();
      await engine.state.put(newsOf(one, 9, 'a'));
      expect((await engine.state.put(newsOf(freshDevice(), 1, 'b'))).kind).toBe('written');
    });
  });
}
