import { describe, expect, it } from 'vitest';
import { readInstant } from '../../../core/base/instant.ts';
import { type JsonValue, readJsonObject } from '../../../core/base/json.ts';

function instantOf(json: string) {
  const reading = readJsonObject(Buffer.from(`{"at":${json}}`));
  if (!reading.ok) throw new Error(reading.detail);
  return readInstant(reading.value.at as JsonValue);
}

describe('readInstant', () => {
  it.each([
    ['"2026-11-20T09:00:51Z"', 1_795_165_251_000],
    ['"2026-11-20t09:00:51z"', 1_795_165_251_000],
    ['"2026-11-20T10:00:51.123+01:00"', 1_795_165_251_123],
    ['"2026-11-20T09:00:51.1239999Z"', 1_795_165_251_123],
    ['"2024-02-29T00:00:00Z"', 1_709_164_800_000],
    ['"1970-01-01T00:00:00-00:00"', 0],
    ['1795165251000', 1_795_165_251_000],
    ['-1', -1],
    ['8640000000000000', 8.64e15],
  ])('reads %s', (json, millis) => {
    expect(instantOf(json)).toBe(millis);
  });

  it.each([
    '"2026-11-20T09:00:51"',
    '"2026-11-20"',
    '"2026-11-20 09:00:51Z"',
    '"2026-02-29T00:00:00Z"',
    '"2026-02-30T00:00:00Z"',
    '"2026-13-01T00:00:00Z"',
    '"2026-00-01T00:00:00Z"',
    '"2026-01-00T00:00:00Z"',
    '"2026-11-20T24:00:00Z"',
    '"2026-11-20T09:60:00Z"',
    '"2026-11-20T09:00:60Z"',
    '"2026-11-20T09:00:51+24:00"',
    '"2026-11-20T09:00:51.Z"',
    '"2026-11-20T09:00:51Z\\n"',
    '"1795165251000"',
    '"now"',
    '""',
    '1.5',
    '1e3',
    '8640000000000001',
    '99999999999999999999',
    'true',
    '[]',
    '{}',
  ])('refuses %s', (json) => {
    expect(instantOf(json)).toBeUndefined();
  });
});
