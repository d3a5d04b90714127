<?php

	foreach ($_SESSION['message'] ?? [] as list($said, $mood)) {
		echo "<div class='thin_message' data-mood='".escape($mood)."' role='status'>".$said."</div>\n";
	}
	unset($_SESSION['message']);
	echo "</main></body></html>\n";
