using System.CommandLine;

var root = new RootCommand("Boots machines without a disk from a SAN, and shows what each does on its way up.");
return await root.Parse(args).InvokeAsync();
