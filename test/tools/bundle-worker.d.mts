export declare function bundleWorker(): Promise<string>;
export declare const COMPATIBILITY_DATE: string;
