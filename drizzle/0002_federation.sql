CREATE TABLE `incoming_shares` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`sender_host` text NOT NULL,
	`provider_id` text NOT NULL,
	`sender` text NOT NULL,
	`owner` text NOT NULL,
	`sender_name` text,
	`owner_name` text,
	`name` text NOT NULL,
	`resource_type` text NOT NULL,
	`permissions` text,
	`strict` integer NOT NULL,
	`form` text NOT NULL,
	`uri` text,
	`sealed_secret` blob,
	`content_hash` text NOT NULL,
	`state` text NOT NULL,
	`ended_by` text,
	`mount_name` text,
	`problem` text,
	`problem_at` integer,
	`created_at` integer NOT NULL,
	`responded_at` integer,
	`ended_at` integer,
	`expires_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `incoming_shares_sender_provider_user` ON `incoming_shares` (`sender_host`,`provider_id`,`user_id`);--> statement-breakpoint
CREATE INDEX `incoming_shares_provider` ON `incoming_shares` (`provider_id`);--> statement-breakpoint
CREATE INDEX `incoming_shares_user` ON `incoming_shares` (`user_id`,`created_at`);--> statement-breakpoint
CREATE UNIQUE INDEX `incoming_shares_mount` ON `incoming_shares` (`user_id`,`mount_name`);--> statement-breakpoint
CREATE TABLE `reshares` (
	`id` text PRIMARY KEY NOT NULL,
	`incoming_share_id` text NOT NULL,
	`recipient` text NOT NULL,
	`state` text NOT NULL,
	`provider_id` text,
	`sealed_token` blob,
	`problem` text,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	FOREIGN KEY (`incoming_share_id`) REFERENCES `incoming_shares`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `reshares_incoming` ON `reshares` (`incoming_share_id`,`recipient`);--> statement-breakpoint
CREATE TABLE `contacts` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`host` text NOT NULL,
	`identifier` text NOT NULL,
	`name` text NOT NULL,
	`email` text,
	`source` text NOT NULL,
	`added_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `contacts_user_host_identifier` ON `contacts` (`user_id`,`host`,`identifier`);--> statement-breakpoint
CREATE TABLE `invites` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`token_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`accepted_by` text,
	`accepted_at` integer,
	`revoked_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `invites_token_hash_unique` ON `invites` (`token_hash`);--> statement-breakpoint
CREATE INDEX `invites_user` ON `invites` (`user_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `legacy_keys` (
	`kid` text PRIMARY KEY NOT NULL,
	`public_pem` text NOT NULL,
	`sealed_private_pem` blob NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `outbox` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`peer` text NOT NULL,
	`subject` text NOT NULL,
	`label` text NOT NULL,
	`sealed_payload` blob NOT NULL,
	`state` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`next_attempt_at` integer NOT NULL,
	`last_error` text,
	`lease_owner` text,
	`lease_until` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `outbox_id_unique` ON `outbox` (`id`);--> statement-breakpoint
CREATE INDEX `outbox_due` ON `outbox` (`state`,`next_attempt_at`,`peer`);--> statement-breakpoint
CREATE INDEX `outbox_peer` ON `outbox` (`peer`,`state`,`next_attempt_at`);--> statement-breakpoint
CREATE INDEX `outbox_subject` ON `outbox` (`subject`,`seq`);--> statement-breakpoint
ALTER TABLE `outgoing_shares` ADD `responded_at` integer;--> statement-breakpoint
ALTER TABLE `outgoing_shares` ADD `parent_id` text REFERENCES outgoing_shares(id) ON DELETE cascade;--> statement-breakpoint
ALTER TABLE `outgoing_shares` ADD `reshared_by` text;--> statement-breakpoint
ALTER TABLE `outgoing_shares` ADD `sealed_undo_token` blob;--> statement-breakpoint
CREATE INDEX `outgoing_shares_parent` ON `outgoing_shares` (`parent_id`,`recipient`);--> statement-breakpoint
CREATE INDEX `outgoing_shares_host` ON `outgoing_shares` (`recipient_host`);--> statement-breakpoint
ALTER TABLE `peers` ADD `trust` text;--> statement-breakpoint
ALTER TABLE `peers` ADD `failures` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `peers` ADD `rest_until` integer;