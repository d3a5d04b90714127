<?php

/**
 * Sends a recording whole or in parts, so that a player can seek (RFC 9110 section 14).
 */
class voice_secretary_recording {

	private $file;

	/**
	 * @param string $file found by voice_secretary_conversation::recording; empty when there is none
	 */
	public function __construct(string $file) {
		$this->file = $file;
	}

	public function send(string $range): void {
		$size = $this->file === '' ? 0 : (int) filesize($this->file);
		$handle = $size > 0 ? fopen($this->file, 'rb') : false;
		if ($handle === false) {
			http_response_code(404);
			return;
		}
		list($first, $last) = $this->part($range, $size);
		header('Content-Type: '.(preg_match('/\.mp3$/i', $this->file) ? 'audio/mpeg' : 'audio/wav'));
		header('Accept-Ranges: bytes');
		header('Cache-Control: private, no-store');
		header('Content-Length: '.($last - $first + 1));
		if ($range !== '') {
			http_response_code(206);
			header('Content-Range: bytes '.$first.'-'.$last.'/'.$size);
		}
		fseek($handle, $first);
		for ($left = $last - $first + 1; $left > 0 && !feof($handle); $left -= 65536) {
			echo fread($handle, min(65536, $left));
			flush();
		}
		fclose($handle);
	}

	/**
	 * First and last byte; the whole for what is no range, or none that can be had.
	 */
	private function part(string $range, int $size): array {
		if (!preg_match('/^bytes=(\d{0,15})-(\d{0,15})$/', $range, $found) || $found[1].$found[2] === '') {
			return [0, $size - 1];
		}
		$first = $found[1] === '' ? max(0, $size - (int) $found[2]) : (int) $found[1];
		$last = $found[1] === '' || $found[2] === '' ? $size - 1 : min((int) $found[2], $size - 1);
		return $first > $last ? [0, $size - 1] : [$first, $last];
	}
}
