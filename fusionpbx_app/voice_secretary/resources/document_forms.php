<?php

//below the list of documents: try a question as a secretary would ask, and upload another
	if (!isset($documents)) {
		exit;
	}

	$typed = ['question' => $question];
	foreach (['title', 'document_language', 'source_format'] as $one) {
		$typed[$one] = is_string($_POST[$one] ?? null) ? $_POST[$one] : '';
	}
	$form = new voice_secretary_form($text, $typed, $errors);
	if ($rows) {
		echo "<form method='get' id='form_ask' autocomplete='off'>\n<div class='card'>\n".$form->section('document_search');
		echo $form->input('question', [], 'text', ['maxlength' => '500', 'style' => 'width: 100%; max-width: 560px;']).$form->end();
		echo "<div class='vs_send'><button type='submit' class='btn btn-default' id='btn_ask'>".escape($text['button-ask_documents'])."</button></div>\n";
		if ($found !== null && !$found->ok()) {
			echo "<div class='vs_notice vs_bad' role='status' id='found'>".escape($words->problem($found, $documents->api()->url()))."</div>\n";
		}
		elseif ($found !== null) {
			$why = is_string($found->data['why'] ?? null) ? $found->data['why'] : '';
			$how = empty($found->data['by_meaning']) ? ($why === '' ? 'message-document_by_words' : 'message-document_why_words') : 'message-document_by_meaning';
			$passages = array_filter($found->data['passages'] ?? [], 'is_array');
			echo "<div class='vs_notice' role='status' id='found'>".escape($passages ? $words->say($how, ...($why === '' ? [] : [$why])) : $text['message-document_none_fits'])."</div>\n";
			foreach ($passages as $passage) {
				echo "<div class='vs_passage'><b>".escape($passage['source'] ?? '')."</b><div class='vs_lines'>".escape($passage['text'] ?? '')."</div></div>\n";
			}
		}
		echo "</div>\n</form>\n<br />\n";
	}
	if ($may['add']) {
		$formats = ['' => $text['option-format_by_name']];
		foreach (voice_secretary_document::FORMATS as $one) {
			$formats[$one] = $text['option-format_'.$one];
		}
		echo "<form method='post' id='form_upload' enctype='multipart/form-data' autocomplete='off'>\n<div class='card'>\n".$form->section('document_add');
		echo $form->input('file', ['required' => true], 'file', ['accept' => '.txt,.md,.markdown,.htm,.html,.pdf']);
		echo $form->input('title', [], 'text', ['maxlength' => '255']);
		echo $form->input('document_language', [], 'text', ['maxlength' => '16', 'placeholder' => 'pt-BR']);
		echo $form->select('source_format', $formats).$form->end();
		echo "<div class='vs_send'><button type='submit' class='btn btn-default' id='btn_upload' name='action' value='upload'>".escape($text['button-upload_document'])."</button></div>\n";
		echo "</div>\n<input type='hidden' name='".$token['name']."' value='".$token['hash']."'>\n</form>\n<br />\n";
	}

?>
