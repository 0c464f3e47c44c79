export declare function buildPlanfleet(): Promise<void>;
