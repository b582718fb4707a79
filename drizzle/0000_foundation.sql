CREATE TABLE `access_tokens` (
	`jti` text PRIMARY KEY NOT NULL,
	`refresh_token_id` text NOT NULL,
	`share_id` text NOT NULL,
	`client_id` text NOT NULL,
	`kid` text NOT NULL,
	`issued_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`revoked_at` integer,
	FOREIGN KEY (`refresh_token_id`) REFERENCES `refresh_tokens`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`share_id`) REFERENCES `outgoing_shares`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`kid`) REFERENCES `signing_keys`(`kid`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `access_tokens_refresh_expiry` ON `access_tokens` (`refresh_token_id`,`expires_at`);--> statement-breakpoint
CREATE INDEX `access_tokens_share` ON `access_tokens` (`share_id`,`issued_at`);--> statement-breakpoint
CREATE INDEX `access_tokens_kid` ON `access_tokens` (`kid`);--> statement-breakpoint
CREATE TABLE `app_passwords` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`label` text NOT NULL,
	`kind` text NOT NULL,
	`hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `app_passwords_user_hash` ON `app_passwords` (`user_id`,`hash`);--> statement-breakpoint
CREATE INDEX `app_passwords_user_kind` ON `app_passwords` (`user_id`,`kind`);--> statement-breakpoint
CREATE TABLE `login_failures` (
	`key` text PRIMARY KEY NOT NULL,
	`failures` integer NOT NULL,
	`window_ends_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `login_failures_window` ON `login_failures` (`window_ends_at`);--> statement-breakpoint
CREATE TABLE `outgoing_shares` (
	`id` text PRIMARY KEY NOT NULL,
	`owner_id` text NOT NULL,
	`path` text NOT NULL,
	`resource_type` text NOT NULL,
	`name` text NOT NULL,
	`recipient` text NOT NULL,
	`recipient_host` text NOT NULL,
	`permissions` text NOT NULL,
	`strict` integer NOT NULL,
	`state` text NOT NULL,
	`problem` text,
	`payload_shape` text,
	`created_at` integer NOT NULL,
	`sent_at` integer,
	`expires_at` integer,
	`revoked_at` integer,
	FOREIGN KEY (`owner_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `outgoing_shares_owner` ON `outgoing_shares` (`owner_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `peers` (
	`host` text PRIMARY KEY NOT NULL,
	`discovery` text,
	`discovery_url` text,
	`discovered_at` integer,
	`jwks` text,
	`jwks_fetched_at` integer,
	`profile` text DEFAULT '{}' NOT NULL,
	`last_ok_at` integer,
	`last_error` text,
	`last_error_at` integer
);
--> statement-breakpoint
CREATE TABLE `refresh_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`share_id` text NOT NULL,
	`secret_hash` text NOT NULL,
	`sealed_secret` blob,
	`created_at` integer NOT NULL,
	`revoked_at` integer,
	FOREIGN KEY (`share_id`) REFERENCES `outgoing_shares`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `refresh_tokens_secret_hash_unique` ON `refresh_tokens` (`secret_hash`);--> statement-breakpoint
CREATE INDEX `refresh_tokens_share` ON `refresh_tokens` (`share_id`);--> statement-breakpoint
CREATE TABLE `signing_keys` (
	`kid` text PRIMARY KEY NOT NULL,
	`alg` text NOT NULL,
	`public_jwk` text NOT NULL,
	`sealed_private_jwk` blob NOT NULL,
	`state` text NOT NULL,
	`created_at` integer NOT NULL,
	`activated_at` integer,
	`retiring_at` integer,
	`retired_at` integer
);
--> statement-breakpoint
CREATE INDEX `signing_keys_state` ON `signing_keys` (`state`);--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`username` text NOT NULL,
	`display_name` text NOT NULL,
	`email` text,
	`home` text NOT NULL,
	`created_at` integer NOT NULL,
	`disabled_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_username_unique` ON `users` (`username`);