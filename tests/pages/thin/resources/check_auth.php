<?php

	if (empty($_SESSION['authorized'])) {
		header('Location: /?path='.urlencode($_SERVER['REQUEST_URI'] ?? ''));
		exit;
	}
