"""When something happens by the clock on the wall: schedules of five fields, and the time zones they are meant in."""
