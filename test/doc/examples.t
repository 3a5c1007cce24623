#!/usr/bin/perl
# Every example of the documentation runs, and prints what it says.
use strict;
use warnings;
use FindBin;

chdir "$FindBin::Bin/../.." or die "$!\n";
exec $^X, 'test/doc/run', grep { -f } 'README.md', sort glob('doc/*.md');
