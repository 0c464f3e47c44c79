// The scripts of plans are plain JavaScript; this is what the tests use of them.

declare module '*/demo/make-invoices.mjs' {
  export interface DemoInvoice {
    file: string;
    layout: string;
    number: string;
    date: string;
    currency: string;
    items: { text: string; amount: string }[];
    tax_rate: string;
    tax: string;
  }
  export function makeInvoices(folder: string, invoices: DemoInvoice[]): Promise<void>;
  export function readDemoInvoices(): Promise<DemoInvoice[]>;
}

declare module '*/scripts/invoice-text.mjs' {
  export interface Invoice {
    invoice_number: string;
    date: string;
    currency: string;
    total: string;
  }
  export function readInvoice(lines: string[]): Invoice;
}

declare module '*/scripts/money.mjs' {
  export interface Amount {
    cents: bigint | undefined;
    mark: string | undefined;
    start: number;
    end: number;
  }
  export function findAmounts(text: string): Amount[];
  export function toCents(decimal: string): bigint;
  export function toDecimal(cents: bigint): string;
}

declare module '*/scripts/date.mjs' {
  export function findDates(text: string, options: { monthFirst: boolean }): { iso: string; start: number }[];
}
