<?php

//talking from the browser, and the first run
	return [
	];
