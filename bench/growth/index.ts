/** The table `growth`: whether what a message costs grows with the ledger or with the fleet. */
import { synthesizeBench } from '../harness/assembly.ts';
import type { Bench } from '../harness/table.ts';
import { inWorkshop } from '../harness/workshop.ts';
import { devicesTable } from './devices.ts';
import { handlerGrowth } from './handler.ts';
import { memoryTable } from './memory.ts';
import { rowsTable } from './rows.ts';

export const bench: Bench = (options) =>
  inWorkshop(async (workshop) => {
    const place = { workshop, assembly: synthesizeBench(workshop) };
    return [
      await handlerGrowth(place, options),
      await rowsTable(place, options),
      await devicesTable(place, options),
      await memoryTable(place, options),
    ];
  });
