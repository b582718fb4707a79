ALTER TABLE `incoming_shares` ADD `auth_mode` text;--> statement-breakpoint
ALTER TABLE `incoming_shares` ADD `sealed_access_token` blob;--> statement-breakpoint
ALTER TABLE `incoming_shares` ADD `access_token_issued_at` integer;--> statement-breakpoint
ALTER TABLE `incoming_shares` ADD `access_token_expires_at` integer;--> statement-breakpoint
ALTER TABLE `incoming_shares` ADD `refresh_lease_holder` text;--> statement-breakpoint
ALTER TABLE `incoming_shares` ADD `refresh_lease_until` integer;--> statement-breakpoint
ALTER TABLE `incoming_shares` ADD `access_retry_at` integer;--> statement-breakpoint
ALTER TABLE `incoming_shares` ADD `seen` text;