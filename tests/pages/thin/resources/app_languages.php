<?php

// Words every page of FusionPBX has; only those our pages use.
	foreach (['button-add' => 'Add', 'button-back' => 'Back', 'button-copy' => 'Copy', 'button-delete' => 'Delete', 'button-edit' => 'Edit', 'button-save' => 'Save',
		'button-search' => 'Search', 'button-toggle' => 'Toggle', 'label-search' => 'Search', 'label-true' => 'True', 'label-false' => 'False',
		'option-true' => 'True', 'option-false' => 'False', 'message-add' => 'Add Completed', 'message-update' => 'Update Completed', 'message-delete' => 'Delete Completed',
		'message-copy' => 'Copy Completed', 'message-toggle' => 'Toggle Completed', 'message-invalid_token' => 'Invalid Token'] as $thin_key => $thin_word) {
		$text[$thin_key]['en-us'] = $thin_word;
	}
