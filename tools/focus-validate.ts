import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * `npm run focus:validate -- usage.csv`: judges usage as FOCUS 1.2 by the validator of the FOCUS project, where there is a Python that has it
 * (FOCUS_PYTHON, else the first of those below). Ends with 1 where a rule fails that is not in `expected`, with 2 where it could not judge.
 * @see https://github.com/finopsfoundation/focus_validator
 */
const pythons = [process.env.FOCUS_PYTHON ?? '', 'python3', 'python3.13', 'python3.12'];

const expected = [
  // CSV has no types, so the validator takes the digits of an AWS account id for a number.
  ...['BillingAccountId-C-000-M', 'BillingAccountId-C-002-M', 'SubAccountId-C-000-C', 'SubAccountId-C-001-M'],
  // The half of InvoiceId-C-003-C about charges on an invoice; the other half, about those on none, holds, and one of them must.
  'InvoiceId-C-005-C',
];

/**
 * What our data has; the validator skips the rules about anything else. Two are left out, because their rules fail for columns that we may
 * leave out: with PUBLIC_PRICE_LIST_SUPPORTED those of other currencies, with USAGE_MEASUREMENT_SUPPORTED that of commitment discounts.
 */
const applicable = [
  ...['AVAILABILITY_ZONE_SUPPORTED', 'BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED'],
  ...['MULTIPLE_PRICING_CATEGORIES_SUPPORTED', 'NEGOTIATED_PRICING_SUPPORTED', 'REGION_SUPPORTED'],
  ...['RESOURCE_TYPE_ASSIGNMENT_SUPPORTED', 'SUB_ACCOUNT_SUPPORTED', 'TAGGING_SUPPORTED'],
  'UNIT_PRICING_SUPPORTED',
];

const howToGetIt =
  'There is no Python with focus-validator: pip install -r tools/focus-validator.txt with Python 3.12, and set FOCUS_PYTHON to that Python.';

/** It looks for its rules below the folder that it is started in. */
const script =
  'import os, sys, focus_validator; from focus_validator.main import main; os.chdir(os.path.dirname(os.path.dirname(focus_validator.__file__))); sys.exit(main())';

const fail = (text: string): number => {
  process.stderr.write(`${text}\n`);
  return 2;
};

const validate = (file: string | undefined): number => {
  if (file === undefined || !existsSync(file))
    return fail(
      `npm run focus:validate -- <file>: ${file ?? 'no file'} is not there; expected the CSV of ec2sp usage --format focus`,
    );
  const python = pythons.find(
    (one) => one !== '' && spawnSync(one, ['-c', 'import focus_validator']).status === 0,
  );
  if (python === undefined) return fail(howToGetIt);
  const folder = mkdtempSync(join(tmpdir(), 'focus-'));
  const copy = join(folder, 'usage.csv');
  copyFileSync(resolve(file), copy);
  const options = [
    ...['--data-file', copy, '--validate-version', '1.2', '--block-download'],
    ...['--applicability-criteria', applicable.join(',')],
  ];
  const { stdout, stderr } = spawnSync(python, ['-c', script, ...options], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  const totals = /^Total: .*$/m.exec(stdout)?.[0];
  if (totals === undefined) return fail(`The validator did not judge ${file}:\n${stdout}${stderr}`);
  const failed = [...stdout.matchAll(/^- (\S+): violations=\d+; (.*)$/gm)];
  const wrong = failed.filter(([, rule = '']) => !expected.includes(rule));
  for (const [, rule, reason] of wrong) process.stdout.write(`${rule}: ${reason}\n`);
  process.stdout.write(`${totals}; ${failed.length - wrong.length} of the failures are expected\n`);
  return wrong.length === 0 ? 0 : 1;
};

process.exitCode = validate(process.argv[2]);
