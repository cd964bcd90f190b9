/** Amounts that no float can hold, and the harness's own reading of them, in whole numbers. */

const FORMS = [
  '2.5',
  '1.50',
  '0.1',
  '12345678901234567890.123456789',
  '9007199254740993',
  '1e-7',
  '0.30000000000000004000',
  '-3.20e2',
] as const;

/** The amount of a message, as it stands in its body. */
export function amountText(serial: number): string {
  return FORMS[serial % FORMS.length] ?? FORMS[0];
}

/** Equal texts for equal numbers: the digits without zeros at either end, and their power of ten. */
export function numberOf(text: string): string {
  const [, sign = '', whole = '', part = '', power = '0'] =
    /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  if (whole === '') return `no number: ${text}`;
  const digits = `${whole}${part}`.replace(/^0+/, '');
  const short = digits.replace(/0+$/, '');
  if (short === '') return '0';
  const exponent = Number(power) - part.length + digits.length - short.length;
  return `${sign === '-' ? '-' : ''}${short}e${exponent}`;
}
