CREATE TABLE `dead_properties` (
	`tree_id` text NOT NULL,
	`path` text NOT NULL,
	`parent` text NOT NULL,
	`namespace` text NOT NULL,
	`name` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`tree_id`, `path`, `namespace`, `name`),
	FOREIGN KEY (`tree_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `dead_properties_parent` ON `dead_properties` (`tree_id`,`parent`);--> statement-breakpoint
CREATE TABLE `locks` (
	`token` text PRIMARY KEY NOT NULL,
	`tree_id` text NOT NULL,
	`path` text NOT NULL,
	`scope` text NOT NULL,
	`depth` text NOT NULL,
	`holder` text NOT NULL,
	`share_id` text,
	`owner` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`tree_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`share_id`) REFERENCES `outgoing_shares`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `locks_tree_path` ON `locks` (`tree_id`,`path`);--> statement-breakpoint
CREATE INDEX `locks_tree_expiry` ON `locks` (`tree_id`,`expires_at`);--> statement-breakpoint
CREATE TABLE `resource_changes` (
	`id` text PRIMARY KEY NOT NULL,
	`tree_id` text NOT NULL,
	`kind` text NOT NULL,
	`source` text NOT NULL,
	`target` text NOT NULL,
	`shallow` integer NOT NULL,
	`target_etag` text,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`tree_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
