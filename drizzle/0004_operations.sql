CREATE TABLE `job_leases` (
	`name` text PRIMARY KEY NOT NULL,
	`owner` text,
	`lease_until` integer,
	`next_run_at` integer NOT NULL,
	`last_started_at` integer,
	`last_ended_at` integer,
	`last_outcome` text,
	`last_error` text
);
--> statement-breakpoint
ALTER TABLE `resource_changes` ADD `run_id` text;--> statement-breakpoint
ALTER TABLE `signing_keys` ADD `due_at` integer;--> statement-breakpoint
CREATE INDEX `access_tokens_expiry` ON `access_tokens` (`expires_at`);--> statement-breakpoint
CREATE INDEX `invites_expiry` ON `invites` (`expires_at`);--> statement-breakpoint
CREATE INDEX `locks_expiry` ON `locks` (`expires_at`);