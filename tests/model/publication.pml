/* One delivery that is sent to every host at once, from the stage to the output, as states and steps.

   The steps are named as the functions of receiver/store that take them: publish.py, recover.py, postgres/hosts.py.
   Every host may be lost at every step. It may also be stopped for any time and wake, be given up meanwhile, or lose the
   answer to its commit. Whoever survives finishes and sweeps; two at once, of whom one may be lost, too. An importing
   system takes files away as soon as it sees them.

   Shown: no file is published twice, no record before its document; and what was accepted is published once nothing
   more can happen. Each of NO_FENCE, NO_INCARNATION and MARK_FIRST takes one thing away that the protocol rests on. */

#ifndef HOSTS
#define HOSTS 2
#endif
#ifndef LOSSES
#define LOSSES 2
#endif
#ifndef STOPS
#define STOPS LOSSES
#endif

#define DOCUMENT 0
#define RECORD 1

mtype = { none, committed, published };

typedef Folder { bool file[2] };

mtype row = none;      /* the ledger: the delivery's row, whose stage it names, and the rows of the hosts */
byte stage;
bool living[HOSTS];
Folder staged[HOSTS];  /* the disk */
bool output[2];
byte moved[2];         /* how often each file has come to the output */
bool accepted;
bool running[HOSTS];
byte losses = LOSSES;
byte stops = STOPS;   /* hosts that are given up although they live */

#define may_be_lost if :: losses > 0 && mortal -> losses--; goto lost :: skip fi

inline move_new(from, name) {
#ifdef NO_FENCE
	/* A link, and the source is removed afterwards. */
	if
	:: atomic { staged[from].file[name] -> output[name] = true; moved[name]++; assert(moved[name] <= 1) };
	   may_be_lost;
	   staged[from].file[name] = false
	:: !staged[from].file[name]
	fi
#else
	atomic {
		if
		:: staged[from].file[name] ->
			staged[from].file[name] = false; output[name] = true; moved[name]++;
			assert(moved[name] <= 1);
			assert(name == DOCUMENT || moved[DOCUMENT] == 1)
		:: else
		fi
	}
#endif
}

inline release(from) {
	move_new(from, DOCUMENT);
	may_be_lost;
	move_new(from, RECORD);
	may_be_lost
}

inline mark() {
	atomic { if :: row == committed -> row = published :: else fi };
	may_be_lost
}

inline discard(folder) {
	staged[folder].file[DOCUMENT] = false;
	staged[folder].file[RECORD] = false
}

proctype host(byte own) {
	bool mortal = true;
	d_step { staged[own].file[DOCUMENT] = true; staged[own].file[RECORD] = true };
	may_be_lost;
	/* commit: one transaction, which needs the row of this incarnation */
	atomic {
		if
#ifdef NO_INCARNATION
		:: row == none -> row = committed; stage = own; accepted = true
#else
		:: row == none && living[own] -> row = committed; stage = own; accepted = true
		:: row == none && !living[own] -> goto refused
#endif
		:: row != none -> goto duplicate
		fi
	};
	may_be_lost;
	if
	:: goto settle  /* the answer is lost */
	:: skip
	fi;
publish:
#ifdef MARK_FIRST
	mark();
	release(own);
#else
	release(own);
	mark();
#endif
	goto done;
settle:
	if
	:: row == committed && stage == own -> goto publish
	:: else -> goto done  /* published by another meanwhile, or not there: the sender is told to come again */
	fi;
duplicate:
	discard(own);
	do
	:: row == published -> goto done
	:: row == committed && !living[stage] -> release(stage); mark()
	:: row == committed && living[stage] -> goto done  /* busy */
	od;
refused:
	discard(own);
	goto done;
lost:
	running[own] = false;
done:
	skip
}

/* As recover.py asks: the folder is of one who was given up, and no accepted delivery rests on it. */
#define left_behind(folder) (!living[folder] && !(row == committed && stage == folder) && (staged[folder].file[DOCUMENT] || staged[folder].file[RECORD]))

inline sweep(folder) {
	discard(folder);
	may_be_lost
}

proctype recover(bool mortal) {
end_recover:
	do
	:: row == committed && !living[stage] -> release(stage); mark()
	:: left_behind(0) -> sweep(0)
	:: left_behind(1) -> sweep(1)
#if HOSTS > 2
	:: left_behind(2) -> sweep(2)
#endif
	od;
lost:
	skip
}

inline give_up(silent) {
	atomic {
		if
		:: living[silent] && !running[silent] -> living[silent] = false
		:: living[silent] && running[silent] && stops > 0 -> stops--; living[silent] = false
		:: else
		fi
	}
}

#define is_silent(silent) (living[silent] && (!running[silent] || stops > 0))

proctype give_up_silent() {
end_give_up:
	do
	:: is_silent(0) -> give_up(0)
	:: is_silent(1) -> give_up(1)
#if HOSTS > 2
	:: is_silent(2) -> give_up(2)
#endif
	od
}

proctype importer() {
end_importer:
	do
	:: output[DOCUMENT] -> output[DOCUMENT] = false
	:: output[RECORD] -> output[RECORD] = false
	od
}

proctype outcome() {
	timeout;
	assert(!accepted || (row == published && moved[DOCUMENT] == 1 && moved[RECORD] == 1))
}

init {
	byte each;
	atomic {
		for (each : 0 .. HOSTS - 1) { living[each] = true; running[each] = true };
		for (each : 0 .. HOSTS - 1) { run host(each) };
		run recover(true);
		run recover(false);  /* somebody is there in the end */
		run give_up_silent();
		run importer();
		run outcome()
	}
}
