<?php

	function is_uuid($text): bool {
		return is_string($text) && preg_match('/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i', $text) === 1;
	}

	function uuid(): string {
		$hex = bin2hex(random_bytes(16));
		return preg_replace('/^(.{8})(.{4})(.{4})(.{4})(.{12})$/', '$1-$2-$3-$4-$5', $hex);
	}

	function escape($text): ?string {
		return $text === null || is_array($text) ? '' : htmlspecialchars((string) $text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
	}

	function permission_exists(string $name): bool {
		return !empty($_SESSION['permissions'][$name]);
	}

	function lower_case(string $text): string {
		return mb_strtolower($text, 'UTF-8');
	}

	// Typed as in 5.5, which is the strictest: a label that is missing, or an array of parameters, is fatal.
	function th_order_by(string $field, string $title, ?string $order_by, ?string $order, ?string $app_uuid = '', ?string $css = '', ?string $params = ''): string {
		$way = $order_by === $field && $order === 'asc' ? 'desc' : 'asc';
		return '<th '.$css."><a href='?order_by=".$field.'&amp;order='.$way.escape($params ? '&'.$params : '')."'>".escape($title)."</a></th>\n";
	}

	function paging($rows, $query, $per_page, $mini = false): array {
		$page = (int) ($_GET['page'] ?? 0);
		$html = $rows > $per_page ? "<span class='thin_paging'>".($page + 1).' / '.ceil($rows / max(1, $per_page)).'</span>' : '';
		return [$html, $per_page];
	}
