/** The routes of this bridge: the one file to edit. It is checked whenever the app is synthesized. */
import { defineConfig } from './core/config/route.ts';
import { payload, topicLevel } from './core/config/sources.ts';

export default defineConfig({
  routes: {
    charges: {
      // One ledger row for each message, however often it arrives.
      guarantee: 'exactly-once',
      // Devices publish here; the + is the device, and its policy allows it no other name.
      topic: 'billing/+/charges',
      device: topicLevel(2),
      // The device makes the id, writes it to disk and sends every retry under it.
      id: payload('id'),
      // What an invoice needs, and where the body says it.
      entry: {
        account: payload('account'),
        amount: payload('kWh'),
        unit: 'kWh',
        occurredAt: payload('at'),
      },
      // Each booking is published here for other systems.
      forward: 'booked/{device}/charges',
    },
  },
});
