/** A task whose output somebody follows. */
export interface FollowedTask {
  readonly stage: number;
  readonly ordinal: number;
}

/** A place among the followers of a task. */
export interface LogPlace {
  /** Resolves when something happened to the task since the last wait, or after `ms`. */
  wait(ms: number): Promise<void>;
  /** False once the server closes: the follower comes back elsewhere. */
  readonly isOpen: boolean;
  leave(): void;
}

/** Tells the followers of this instance that there is output, so that they need not ask all the time. */
export interface LogBell {
  follow(task: FollowedTask): LogPlace;
  /** Output arrived, or the attempt ended. Costs a look into a map when nobody follows. */
  ring(task: FollowedTask): void;
  isFollowed(task: FollowedTask): boolean;
  /** Lets all followers go: the server closes. */
  close(): void;
}
