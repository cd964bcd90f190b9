/** `npm run variants`: every broken variant, and what caught it. Status 1 when one was not. */
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { endWithReader, print, printError } from '../../cli/output/print.ts';
import { EXIT } from '../../cli/shell/usage.ts';
import { ownTemporaryFolder } from '../../tools/own-temporary.ts';
import { variants } from './catalogue.ts';
import { conclusion, isProven, proofMarkdown, proofTable } from './report.ts';
import { proveVariants } from './run.ts';

interface Options {
  readonly markdown?: true;
  readonly only?: readonly string[];
}

endWithReader();
await new Command('variants')
  .description('Breaks the code on purpose, in many ways, and shows what catches each.')
  .option('--markdown', 'print the table of docs/proof.md')
  .option('--only <names...>', 'run these variants alone')
  .action(run)
  .showHelpAfterError('(add --help for the options)')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.ok : EXIT.usage))
  .parseAsync();

async function run({ markdown, only }: Options): Promise<void> {
  const unknown = only?.filter((wanted) => variants.every(({ name }) => name !== wanted)) ?? [];
  if (unknown.length > 0) {
    printError(
      `There is no variant ${unknown.join(', ')}. There are: ${variants.map(({ name }) => name).join(', ')}.`,
    );
    process.exitCode = EXIT.usage;
    return;
  }
  ownTemporaryFolder('variants', 'no variant is judged');
  const chosen = variants.filter(({ name }) => only?.includes(name) ?? true);
  const bar = new SingleBar({
    format: 'variants [{bar}] {value}/{total} runs',
    noTTYOutput: false,
  });
  const proof = await proveVariants(chosen, (done, of) => {
    if (!process.stderr.isTTY) return;
    if (done === 1) bar.start(of, done);
    else bar.update(done);
  });
  bar.stop();
  print(markdown === true ? proofMarkdown(proof) : proofTable(proof));
  printError(conclusion(proof));
  if (!isProven(proof)) process.exitCode = 1;
}
