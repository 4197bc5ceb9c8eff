<?php
// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Says what a PHP program is told of its user.
header('Content-Type: application/json');
$told = array_filter(
    array_merge($_SERVER, getenv()),
    fn ($value, $name) => preg_match('/REMOTE.?USER|AUTH_TYPE|PHP_AUTH/i', $name) || $value === 'root',
    ARRAY_FILTER_USE_BOTH
);
echo json_encode(['remote_user' => $_SERVER['REMOTE_USER'] ?? null, 'told' => (object) $told]);
